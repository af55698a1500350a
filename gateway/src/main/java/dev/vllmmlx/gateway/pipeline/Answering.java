package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.answer.AnswerFormat;
import dev.vllmmlx.text.parts.PartReader;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What answers must be, and how they are read.
 *
 * @param constraint what they must be once the model has thought
 * @param field the request's field that asked for it, for errors; empty where none did
 * @param thinkingTokens the most that the model may think; empty for no limit
 * @param format how the model writes answers
 * @param tools what it may call; text is looked through for calls only if there are any
 * @param check what is looked at once an answer is whole
 * @param runHere those of them whose calls are run here, where there are any
 */
public record Answering(
    Constraint constraint,
    String field,
    OptionalInt thinkingTokens,
    AnswerFormat format,
    List<Tool> tools,
    AnswerCheck check,
    Optional<CallTools> runHere) {

  public Answering {
    Objects.requireNonNull(constraint);
    Objects.requireNonNull(field);
    Objects.requireNonNull(thinkingTokens);
    Objects.requireNonNull(format);
    tools = List.copyOf(tools);
    Objects.requireNonNull(check);
    Objects.requireNonNull(runHere);
  }

  /** Text that must be something. */
  public static Answering ofText(Constraint constraint, String field) {
    return new Answering(
        constraint,
        field,
        OptionalInt.empty(),
        AnswerFormat.TEXT,
        List.of(),
        AnswerCheck.of(constraint, field, List.of()),
        Optional.empty());
  }

  /**
   * For one answer, which may begin inside of thinking.
   *
   * @param given the tools that it may call
   */
  PartReader reader(List<Tool> given, boolean thinking) {
    return format.reader(given, thinking);
  }
}
