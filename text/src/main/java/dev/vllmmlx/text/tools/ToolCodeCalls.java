package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * Calls as Python in a block of code, a line each. So writes Gemma 3 where it is told to, sometimes
 * in a {@code print}.
 *
 * <pre>{@code
 * ```tool_code
 * f(city="Paris", days=3)
 * ```
 * }</pre>
 */
final class ToolCodeCalls extends MarkedFormat {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final String OPEN = "```tool_code";
  private static final String CLOSE = "```";

  ToolCodeCalls() {
    super("tool_code", List.of(OPEN));
  }

  @Override
  public boolean isIn(String template) {
    return template.contains(OPEN);
  }

  @Override
  public String written(String function, String arguments) {
    var members = Notation.PYTHON.members(JSON.readTree(arguments), true, "=");
    return OPEN + "\n" + function + "(" + members + ")\n" + CLOSE;
  }

  @Override
  Step calls() {
    return Steps.sequence(Steps.literal(OPEN), line());
  }

  /** A call, and more of them up to the block's end. */
  private static Step line() {
    return Steps.sequence(
        Steps.space(),
        Steps.choice(Map.of("print(", ToolCodeCalls::printed), PythonicCalls::call),
        Steps.choice(Map.of(CLOSE, () -> (_, _) -> Step.Result.DONE), ToolCodeCalls::line));
  }

  private static Step printed() {
    return Steps.sequence(PythonicCalls.call(), Steps.space(), Steps.literal(")"));
  }

  @Override
  Constraint behind(String opening, List<Tool> tools, boolean parallel) {
    var line = anyOf(tools, ToolCodeCalls::call);
    return Constraint.Sequence.of(
        line, new Constraint.Repeat(line, 0, parallel ? -1 : 0), new Constraint.Text("\n" + CLOSE));
  }

  private static Constraint call(Tool tool) {
    return Constraint.Sequence.of(
        new Constraint.Text("\n" + tool.name() + "("), PythonicCalls.arguments(tool));
  }
}
