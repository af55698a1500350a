package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;

/**
 * Calls as Python writes them, in a list: {@code [f(city="Paris", days=3), g()]}. So write Llama
 * 3.2 and 4 and Gemma 3, each where its template asks for it.
 */
final class PythonicCalls extends MarkedFormat {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final String OPEN = "<|python_start|>";
  private static final String CLOSE = "<|python_end|>";

  PythonicCalls() {
    super("pythonic", List.of(OPEN));
  }

  @Override
  List<String> bareOpenings(List<Tool> tools) {
    return tools.stream().map(tool -> "[" + tool.name() + "(").toList();
  }

  @Override
  List<String> otherMarks() {
    return List.of(CLOSE);
  }

  @Override
  public boolean isIn(String template) {
    return template.contains("[func_name1(");
  }

  @Override
  public String written(String function, String arguments) {
    return "["
        + function
        + "("
        + Notation.PYTHON.members(JSON.readTree(arguments), true, "=")
        + ")]";
  }

  @Override
  Step calls() {
    return Steps.sequence(
        Steps.optional(OPEN),
        Steps.space(),
        Steps.literal("["),
        Steps.separated(PythonicCalls::call, ","),
        Steps.space(),
        Steps.literal("]"),
        Steps.optional(CLOSE));
  }

  /** {@code f(a=1)}, read from before the name. */
  static Step call() {
    return Steps.sequence(
        Steps.header("(", Optional::of, Optional.empty()),
        new NotationStep(Notation.PYTHON, ')', "="),
        (_, calls) -> {
          calls.end();
          return Step.Result.DONE;
        });
  }

  @Override
  Constraint behind(String opening, List<Tool> tools, boolean parallel) {
    var any =
        anyOf(
            tools,
            tool ->
                Constraint.Sequence.of(new Constraint.Text(tool.name() + "("), arguments(tool)));
    boolean marked = opening.equals(OPEN);
    var first =
        marked
            ? Constraint.Sequence.of(new Constraint.Text("["), any)
            : tools.stream()
                .filter(tool -> opening.equals("[" + tool.name() + "("))
                .map(PythonicCalls::arguments)
                .findFirst()
                .orElseThrow();
    var more = Constraint.Sequence.of(new Constraint.Text(Notation.PYTHON.comma()), any);
    return Constraint.Sequence.of(
        first,
        new Constraint.Repeat(more, 0, parallel ? -1 : 0),
        new Constraint.Text(marked ? "]" + CLOSE : "]"));
  }

  /** What stands behind {@code f(}, the bracket that closes it included. */
  static Constraint arguments(Tool tool) {
    return Constraint.Sequence.of(
        NotationSchema.arguments(Notation.PYTHON, "=", tool.name(), ToolSchema.of(tool)),
        new Constraint.Text(")"));
  }
}
