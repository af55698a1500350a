package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import java.util.List;

/**
 * Calls that are a JSON object each, and the whole answer: <code>
 * {"name": "f", "arguments": {...}}</code>. Llama 3 has another key for the arguments, a semicolon
 * between calls, and a mark that may stand before them. Also the format for models that learned
 * none.
 */
final class JsonCalls extends MarkedFormat {
  private static final String OPENING = "{\"name\":";

  private final String argumentsKey;
  private final String separator;
  private final List<String> signs;

  private JsonCalls(
      String name, List<String> marks, String argumentsKey, String separator, List<String> signs) {
    super(name, marks);
    this.argumentsKey = argumentsKey;
    this.separator = separator;
    this.signs = signs;
  }

  /** Objects one behind the other. */
  static JsonCalls generic() {
    return new JsonCalls("json", List.of(), "arguments", "\n", List.of());
  }

  static JsonCalls llama() {
    return new JsonCalls(
        "llama3_json",
        List.of("<|python_tag|>"),
        "parameters",
        "; ",
        List.of("<|start_header_id|>", "parameters"));
  }

  @Override
  List<String> bareOpenings(List<Tool> tools) {
    return List.of(OPENING);
  }

  @Override
  public boolean isIn(String template) {
    return !signs.isEmpty() && signs.stream().allMatch(template::contains);
  }

  @Override
  public String written(String function, String arguments) {
    return OPENING + " \"%s\", \"%s\": %s}".formatted(function, argumentsKey, arguments);
  }

  @Override
  Step calls() {
    Step objects = Steps.separated(() -> new EnvelopeStep(false), separator.strip());
    return marks().isEmpty()
        ? new EnvelopeStep(false)
        : Steps.sequence(Steps.optional(marks().iterator().next()), objects);
  }

  @Override
  Constraint behind(String opening, List<Tool> tools, boolean parallel) {
    var rest = anyOf(tools, this::rest);
    var first =
        opening.equals(OPENING) ? rest : Constraint.Sequence.of(new Constraint.Text(OPENING), rest);
    return parallel
        ? Constraint.Sequence.of(
            first,
            new Constraint.Repeat(
                Constraint.Sequence.of(new Constraint.Text(separator + OPENING), rest), 0, -1))
        : first;
  }

  private Constraint rest(Tool tool) {
    return Constraint.Sequence.of(
        new Constraint.Text(" \"%s\", \"%s\": ".formatted(tool.name(), argumentsKey)),
        ToolSchema.of(tool).json(),
        new Constraint.Text("}"));
  }
}
