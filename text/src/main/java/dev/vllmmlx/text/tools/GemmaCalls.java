package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import tools.jackson.databind.json.JsonMapper;

/**
 * FunctionGemma and Gemma 4: values in a notation of their own, each call between marks.
 *
 * <pre>{@code
 * <start_function_call>call:f{city:<escape>Paris<escape>,days:3}<end_function_call>
 * }</pre>
 */
final class GemmaCalls extends MarkedFormat {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final String CALL = "call:";

  private final String open;
  private final String close;
  private final String response;
  private final Notation notation;

  /**
   * @param response opens a function's result: what the model writes next if it is let to
   */
  private GemmaCalls(String name, String open, String close, String response, String quote) {
    super(name, List.of(open));
    this.open = open;
    this.close = close;
    this.response = response;
    this.notation = Notation.gemma(quote);
  }

  static GemmaCalls functionGemma() {
    return new GemmaCalls(
        "functiongemma",
        "<start_function_call>",
        "<end_function_call>",
        "<start_function_response>",
        "<escape>");
  }

  static GemmaCalls gemma4() {
    return new GemmaCalls("gemma4", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<|\"|>");
  }

  @Override
  List<String> otherMarks() {
    return List.of(close, response, notation.quotes().getFirst());
  }

  @Override
  public boolean isIn(String template) {
    return template.contains(open);
  }

  @Override
  public String written(String function, String arguments) {
    return open + CALL + function + notation.written(JSON.readTree(arguments)) + close;
  }

  @Override
  Step calls() {
    Supplier<Step> call =
        () ->
            Steps.sequence(
                Steps.literal(open),
                Steps.space(),
                Steps.literal(CALL),
                Steps.header("{", Optional::of, Optional.empty()),
                new NotationStep(notation, '}', notation.colon()),
                (_, calls) -> {
                  calls.end();
                  return Step.Result.DONE;
                });
    return Steps.sequence(call.get(), Steps.closing(close), Steps.optional(response));
  }

  @Override
  Constraint behind(String opening, List<Tool> tools, boolean parallel) {
    var call = anyOf(tools, this::call);
    var more = Constraint.Sequence.of(new Constraint.Text(open), call);
    return Constraint.Sequence.of(call, new Constraint.Repeat(more, 0, parallel ? -1 : 0));
  }

  private Constraint call(Tool tool) {
    return Constraint.Sequence.of(
        new Constraint.Text(CALL + tool.name() + "{"),
        NotationSchema.arguments(notation, notation.colon(), tool.name(), ToolSchema.of(tool)),
        new Constraint.Text("}" + close));
  }
}
