package dev.vllmmlx.text.answer;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.parts.PartReader;
import dev.vllmmlx.text.reasoning.ReasoningFormat;
import dev.vllmmlx.text.reasoning.ReasoningFormats;
import dev.vllmmlx.text.tools.HarmonyCalls;
import dev.vllmmlx.text.tools.ToolCallFormat;
import dev.vllmmlx.text.tools.ToolCallFormats;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * How a model's answers are written.
 *
 * @param reasoning how it marks what it thinks; empty where it does not think aloud
 * @param calls how it writes calls; empty where it never does
 */
public record AnswerFormat(Optional<ReasoningFormat> reasoning, Optional<ToolCallFormat> calls) {

  /** Answers are text and nothing else. */
  public static final AnswerFormat TEXT = new AnswerFormat(Optional.empty(), Optional.empty());

  /**
   * As chat templates show it. Every model has a way to write calls: one whose templates show none
   * is told of {@link ToolCallFormats#JSON}.
   *
   * @param templates the templates' sources
   */
  public static AnswerFormat of(Collection<String> templates) {
    var source = String.join("\n", templates);
    return new AnswerFormat(
        ReasoningFormats.of(source),
        Optional.of(ToolCallFormats.of(source).orElse(ToolCallFormats.JSON)));
  }

  /**
   * By the formats' names, as {@code TemplateCapabilities} has them.
   *
   * @throws IllegalArgumentException if there is no format of a name
   */
  public static AnswerFormat named(Optional<String> reasoning, Optional<String> calls) {
    return new AnswerFormat(
        reasoning.map(name -> found(name, ReasoningFormats.named(name))),
        calls.map(name -> found(name, ToolCallFormats.named(name))));
  }

  private static <F> F found(String name, Optional<F> format) {
    return format.orElseThrow(() -> new IllegalArgumentException("no format is named " + name));
  }

  public AnswerFormat {
    Objects.requireNonNull(reasoning);
    Objects.requireNonNull(calls);
  }

  /**
   * The texts that markup is made of, which the detokenizer must write out even where they are
   * special tokens.
   *
   * @param tools whether calls are read
   */
  public Set<String> marks(boolean tools) {
    var marks = new LinkedHashSet<String>();
    reasoning.ifPresent(format -> marks.addAll(format.marks()));
    if (tools) {
      calls.ifPresent(format -> marks.addAll(format.marks()));
    }
    return marks;
  }

  /**
   * Whether an answer begins inside of thinking, or goes on inside of it where the chat's last
   * message is to be continued.
   *
   * @param prompt the chat as rendered
   */
  public boolean thinks(Prompt.Chat chat, String prompt) {
    return reasoning
        .map(
            format ->
                chat.continueLast()
                    ? format.isOpenIn(chat.messages().getLast().text())
                    : format.isOpenAfter(prompt))
        .orElse(false);
  }

  /**
   * Reads one answer.
   *
   * @param tools what may be called; text is looked through for calls only if there are any
   * @param thinking whether the answer begins inside of thinking
   */
  public PartReader reader(List<Tool> tools, boolean thinking) {
    if (!tools.isEmpty() && calls.orElse(null) instanceof HarmonyCalls harmony) {
      return harmony.reader(tools, thinking);
    }
    var answer =
        tools.isEmpty() || calls.isEmpty()
            ? PartReader.ofContent()
            : calls.get().reader(List.copyOf(tools));
    return reasoning.map(format -> format.reader(thinking, answer)).orElse(answer);
  }

  /**
   * The constraint of a whole answer: its own parts that are calls are written out in the model's
   * format, and it begins where the thinking ends.
   *
   * @param wanted what the answer must be
   * @param tools what may be called
   * @param thinking whether the answer begins inside of thinking
   */
  public Constraint constraint(Constraint wanted, List<Tool> tools, boolean thinking) {
    if (!tools.isEmpty() && calls.orElse(null) instanceof HarmonyCalls harmony) {
      return wanted instanceof Constraint.None
          ? wanted
          : harmony.constraint(wanted, tools, thinking);
    }
    var answer = withCalls(wanted, tools);
    if (answer instanceof Constraint.None || reasoning.isEmpty()) {
      return answer;
    }
    return reasoning.get().constraint(thinking, answer);
  }

  private Constraint withCalls(Constraint wanted, List<Tool> tools) {
    return switch (wanted) {
      case Constraint.ToolCalls asked when calls.isPresent() && !tools.isEmpty() ->
          calls.get().constraint(tools, asked);
      case Constraint.Either(var options) ->
          new Constraint.Either(options.stream().map(each -> withCalls(each, tools)).toList());
      case Constraint.Sequence(var parts) ->
          new Constraint.Sequence(parts.stream().map(each -> withCalls(each, tools)).toList());
      default -> wanted;
    };
  }
}
