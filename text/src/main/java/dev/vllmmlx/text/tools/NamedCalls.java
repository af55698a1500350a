package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Calls that give the function's name between marks, and behind it the arguments as a JSON object:
 * {@code [TOOL_CALLS]f[ARGS]{...}}. So write newer models of Mistral, DeepSeek V3, R1 and V3.1, and
 * Kimi K2, each with its own marks.
 *
 * <pre>
 * {@code section  callOpen  beforeName  f  afterName  {...}  callClose  between ... sectionClose}
 * </pre>
 */
final class NamedCalls extends MarkedFormat {

  /**
   * What stands around names and arguments; any of it may be empty but {@code afterName}.
   *
   * @param section opens all calls
   * @param call opens one
   * @param numbered whether a colon and the call's place stand behind the name, which together are
   *     the id by which the model knows the call
   */
  private record Marks(
      String section,
      String call,
      String beforeName,
      boolean numbered,
      String afterName,
      String beforeArguments,
      String afterArguments,
      String callClose,
      String between,
      String sectionClose) {

    String opening() {
      return section + call;
    }
  }

  private final Marks marks;
  private final List<String> signs;

  private NamedCalls(String name, Marks marks, List<String> signs) {
    super(name, List.of(marks.section().isEmpty() ? marks.call() : marks.section()));
    this.marks = marks;
    this.signs = signs;
  }

  static NamedCalls mistral() {
    return new NamedCalls(
        "mistral",
        new Marks("", "[TOOL_CALLS]", "", false, "[ARGS]", "", "", "", "", ""),
        List.of("[TOOL_CALLS]", "[ARGS]"));
  }

  static NamedCalls deepSeekV3() {
    return new NamedCalls(
        "deepseek_v3",
        new Marks(
            "<｜tool▁calls▁begin｜>",
            "<｜tool▁call▁begin｜>",
            "function<｜tool▁sep｜>",
            false,
            "\n",
            "```json\n",
            "\n```",
            "<｜tool▁call▁end｜>",
            "\n",
            "<｜tool▁calls▁end｜>"),
        List.of("<｜tool▁calls▁begin｜>", "```json"));
  }

  static NamedCalls deepSeekV31() {
    return new NamedCalls(
        "deepseek_v31",
        new Marks(
            "<｜tool▁calls▁begin｜>",
            "<｜tool▁call▁begin｜>",
            "",
            false,
            "<｜tool▁sep｜>",
            "",
            "",
            "<｜tool▁call▁end｜>",
            "",
            "<｜tool▁calls▁end｜>"),
        List.of("<｜tool▁calls▁begin｜>"));
  }

  static NamedCalls kimi() {
    return new NamedCalls(
        "kimi_k2",
        new Marks(
            "<|tool_calls_section_begin|>",
            "<|tool_call_begin|>",
            "functions.",
            true,
            "<|tool_call_argument_begin|>",
            "",
            "",
            "<|tool_call_end|>",
            "",
            "<|tool_calls_section_end|>"),
        List.of("<|tool_calls_section_begin|>"));
  }

  @Override
  List<String> otherMarks() {
    // What the other texts are made of: special tokens, where a model has them as such.
    return List.of(
            marks.call(),
            marks.beforeName().replace("function<", "<"),
            marks.afterName(),
            marks.callClose(),
            marks.sectionClose())
        .stream()
        .filter(mark -> mark.startsWith("<") || mark.startsWith("["))
        .toList();
  }

  @Override
  public boolean isIn(String template) {
    return signs.stream().allMatch(template::contains);
  }

  @Override
  public String written(String function, String arguments) {
    return marks.opening()
        + marks.beforeName()
        + function
        + (marks.numbered() ? ":0" : "")
        + marks.afterName()
        + marks.beforeArguments()
        + arguments
        + marks.afterArguments()
        + marks.callClose()
        + marks.sectionClose();
  }

  @Override
  Step calls() {
    if (marks.section().isEmpty()) {
      return call();
    }
    return Steps.sequence(
        Steps.literal(marks.section()),
        Steps.space(),
        call(),
        more(),
        Steps.closing(marks.sectionClose()));
  }

  /** More calls, as long as they open. */
  private Step more() {
    return Steps.choice(
        Map.of(marks.call(), () -> Steps.sequence(opened(), more())),
        () -> (_, _) -> Step.Result.DONE);
  }

  private Step call() {
    return Steps.sequence(Steps.literal(marks.call()), opened());
  }

  private Step opened() {
    return Steps.sequence(
        Steps.literal(marks.beforeName()),
        Steps.header(marks.afterName(), this::name, id()),
        Steps.space(),
        Steps.literal(marks.beforeArguments().strip()),
        JsonValueStep.arguments(),
        Steps.closing(marks.afterArguments().strip()),
        Steps.closing(marks.callClose()),
        (_, calls) -> {
          calls.end();
          return Step.Result.DONE;
        });
  }

  private Optional<String> id() {
    return marks.numbered() ? Optional.of(marks.beforeName()) : Optional.empty();
  }

  private Optional<String> name(String header) {
    int colon = marks.numbered() ? header.lastIndexOf(':') : header.length();
    return colon < 0 ? Optional.empty() : Optional.of(header.substring(0, colon));
  }

  @Override
  Constraint behind(String opening, List<Tool> tools, boolean parallel) {
    var call = anyOf(tools, this::rest);
    var first =
        marks.section().isEmpty()
            ? call
            : Constraint.Sequence.of(new Constraint.Text(marks.call()), call);
    var next = Constraint.Sequence.of(new Constraint.Text(marks.between() + marks.call()), call);
    var all = parallel ? Constraint.Sequence.of(first, new Constraint.Repeat(next, 0, -1)) : first;
    return marks.sectionClose().isEmpty()
        ? all
        : Constraint.Sequence.of(all, new Constraint.Text(marks.sectionClose()));
  }

  /** A call from its name on. */
  private Constraint rest(Tool tool) {
    var head = new Constraint.Text(marks.beforeName() + tool.name());
    var arguments =
        Constraint.Sequence.of(
            new Constraint.Text(marks.afterName() + marks.beforeArguments()),
            ToolSchema.of(tool).json());
    var tail = marks.afterArguments() + marks.callClose();
    var withNumber =
        marks.numbered()
            ? Constraint.Sequence.of(head, new Constraint.Regex(":[0-9]{1,3}"), arguments)
            : Constraint.Sequence.of(head, arguments);
    return tail.isEmpty()
        ? withNumber
        : Constraint.Sequence.of(withNumber, new Constraint.Text(tail));
  }
}
