package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import java.util.List;

/**
 * Calls as a JSON list behind a mark: <code>[TOOL_CALLS][{"name": "f", "arguments": {...}}]</code>.
 * So write Mistral up to 7B v0.3, Granite 3, Phi-4 mini and Command R, each with its own marks and
 * keys.
 */
final class JsonListCalls extends MarkedFormat {
  private final String opening;
  private final String close;
  private final String nameKey;
  private final String argumentsKey;
  private final List<String> signs;

  private JsonListCalls(
      String name,
      String opening,
      String close,
      String nameKey,
      String argumentsKey,
      List<String> signs) {
    super(name, List.of(opening));
    this.opening = opening;
    this.close = close;
    this.nameKey = nameKey;
    this.argumentsKey = argumentsKey;
    this.signs = signs;
  }

  static JsonListCalls mistral() {
    return new JsonListCalls(
        "mistral_v3", "[TOOL_CALLS]", "", "name", "arguments", List.of("[TOOL_CALLS]"));
  }

  static JsonListCalls granite() {
    return new JsonListCalls(
        "granite", "<|tool_call|>", "", "name", "arguments", List.of("<|tool_call|>"));
  }

  static JsonListCalls phi() {
    return new JsonListCalls(
        "phi4",
        "<|tool_call|>",
        "<|/tool_call|>",
        "name",
        "arguments",
        List.of("<|tool|>", "<|/tool|>"));
  }

  static JsonListCalls commandR() {
    return new JsonListCalls(
        "command_r",
        "<|START_ACTION|>",
        "<|END_ACTION|>",
        "tool_name",
        "parameters",
        List.of("<|START_ACTION|>"));
  }

  @Override
  List<String> otherMarks() {
    return close.isEmpty() ? List.of() : List.of(close);
  }

  @Override
  public boolean isIn(String template) {
    return signs.stream().allMatch(template::contains);
  }

  @Override
  public String written(String function, String arguments) {
    return opening + "[" + beginning(function) + arguments + "}]" + close;
  }

  @Override
  Step calls() {
    var list =
        Steps.sequence(
            Steps.literal(opening),
            Steps.space(),
            Steps.literal("["),
            Steps.separated(() -> new EnvelopeStep(false), ","),
            Steps.space(),
            Steps.literal("]"));
    return close.isEmpty() ? list : Steps.sequence(list, Steps.closing(close));
  }

  @Override
  Constraint behind(String opening, List<Tool> tools, boolean parallel) {
    return Constraint.Sequence.of(
        new Constraint.Text("["),
        several(anyOf(tools, this::call), new Constraint.Text(", "), parallel),
        new Constraint.Text("]" + close));
  }

  private Constraint call(Tool tool) {
    return Constraint.Sequence.of(
        new Constraint.Text(beginning(tool.name())),
        ToolSchema.of(tool).json(),
        new Constraint.Text("}"));
  }

  private String beginning(String function) {
    return "{\"%s\": \"%s\", \"%s\": ".formatted(nameKey, function, argumentsKey);
  }
}
