package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import java.util.List;

/**
 * Hermes 2 and 3, Qwen 2.5 and 3, Granite 4: a JSON object between two marks for each call.
 *
 * <pre>{@code
 * <tool_call>
 * {"name": "f", "arguments": {"x": 1}}
 * </tool_call>
 * }</pre>
 */
final class HermesCalls extends MarkedFormat {
  private static final String OPEN = "<tool_call>";
  private static final String CLOSE = "</tool_call>";

  HermesCalls() {
    super("hermes", List.of(OPEN));
  }

  @Override
  List<String> otherMarks() {
    return List.of(CLOSE);
  }

  @Override
  public boolean isIn(String template) {
    return template.contains(OPEN);
  }

  @Override
  public String written(String function, String arguments) {
    return OPEN
        + "\n{\"name\": \"%s\", \"arguments\": %s}\n".formatted(function, arguments)
        + CLOSE;
  }

  @Override
  Step calls() {
    return Steps.sequence(
        Steps.literal(OPEN), Steps.space(), new EnvelopeStep(false), Steps.closing(CLOSE));
  }

  @Override
  Constraint behind(String opening, List<Tool> tools, boolean parallel) {
    var call = anyOf(tools, HermesCalls::call);
    return parallel
        ? Constraint.Sequence.of(
            call,
            new Constraint.Repeat(
                Constraint.Sequence.of(new Constraint.Text("\n" + OPEN), call), 0, -1))
        : call;
  }

  private static Constraint call(Tool tool) {
    return Constraint.Sequence.of(
        new Constraint.Text("\n{\"name\": \"" + tool.name() + "\", \"arguments\": "),
        ToolSchema.of(tool).json(),
        new Constraint.Text("}\n" + CLOSE));
  }
}
