package dev.vllmmlx.text.reasoning;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.answer.AnswerFormat;
import dev.vllmmlx.text.parts.PartReader;
import dev.vllmmlx.text.tools.Read;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Thinking is taken off an answer's front, however the text comes in. */
class ReasoningFormatsTest {
  private static final String THOUGHT =
      "  Hm, 1 < 2.\n\n\tSo </thin [/TH <|en  it\u00e9 \uD83D\uDE00 ";
  private static final String ANSWER = " It is <b>2</b>,\n  I [think]. \n";

  private record Found(String reasoning, String content, int calls) {}

  static Stream<ReasoningFormat> formats() {
    return ReasoningFormats.names().stream()
        .map(name -> ReasoningFormats.named(name).orElseThrow())
        .distinct();
  }

  /** As a model writes what is behind the opening mark. */
  private static String behindOpening(ReasoningFormat format, String answer) {
    return format instanceof HarmonyReasoning
        ? THOUGHT + "<|end|><|start|>assistant<|channel|>final<|message|>" + answer
        : "\n" + THOUGHT + "\n" + format.closing() + "\n\n" + answer;
  }

  private static Found read(PartReader reader, boolean cut, List<String> pieces) {
    var read = Read.withThinking(reader, cut, pieces);
    return new Found(read.reasoning(), read.content(), read.calls().size());
  }

  private static Found read(ReasoningFormat format, boolean open, String... pieces) {
    return read(format.reader(open, PartReader.ofContent()), false, List.of(pieces));
  }

  private static void everyCut(ReasoningFormat format, boolean open, String text, Found expected) {
    for (var at = 0; at <= text.length(); at++) {
      if (at == text.length() || !Character.isLowSurrogate(text.charAt(at))) {
        assertThat(read(format, open, text.substring(0, at), text.substring(at)))
            .as("%s cut at %d", format.name(), at)
            .isEqualTo(expected);
      }
    }
    var single = new ArrayList<String>();
    text.codePoints().forEach(c -> single.add(Character.toString(c)));
    assertThat(read(format, open, single.toArray(String[]::new))).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      textBlock =
          """
          think     ~ {{ '<think>' + reasoning + '</think>' }}
          mistral   ~ [THINK]{{ reasoning }}[/THINK]
          granite   ~ Write your thoughts after 'Here is my thought process:'
          granite   ~ thoughts in <think></think> and the answer in <response></response>
          command_r ~ <|START_THINKING|>{{ reasoning }}<|END_THINKING|>
          gemma     ~ <|channel>thought{{ reasoning }}<channel|>
          harmony   ~ <|start|>assistant<|channel|>analysis<|message|>{{ thinking }}<|end|>
          """)
  void theTemplateShowsTheFormat(String format, String template) {
    assertThat(ReasoningFormats.of(template)).map(ReasoningFormat::name).contains(format);
    assertThat(ReasoningFormats.of("{{ messages[0].content }}")).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("formats")
  void splitsThinkingOffWhereverTheTextIsCut(ReasoningFormat format) {
    everyCut(
        format,
        false,
        format.opening() + behindOpening(format, ANSWER),
        new Found(THOUGHT, ANSWER, 0));
  }

  @ParameterizedTest
  @MethodSource("formats")
  void alsoWhereThePromptHasOpenedIt(ReasoningFormat format) {
    var prompt = "<|assistant|>" + format.opening();
    assertThat(format.isOpenAfter(prompt)).isTrue();
    assertThat(format.isOpenAfter(prompt + "x")).isFalse();
    everyCut(format, true, behindOpening(format, ANSWER), new Found(THOUGHT, ANSWER, 0));
  }

  @ParameterizedTest
  @MethodSource("formats")
  void alsoWhereAnAnswerToBeContinuedHasOpenedIt(ReasoningFormat format) {
    var answers = new AnswerFormat(Optional.of(format), Optional.empty());
    assertThat(answers.thinks(continued(format.opening() + "\nI wonder"), "")).isTrue();
    var closed = format.opening() + "\nI wonder" + format.closing();
    assertThat(answers.thinks(continued(closed), "")).isFalse();
    assertThat(answers.thinks(continued(closed + "\n\nYes"), "")).isFalse();
    assertThat(answers.thinks(continued("Yes, since"), format.opening())).isFalse();
  }

  private static Prompt.Chat continued(String answer) {
    var messages = List.of(Message.of("user", "Well?"), Message.of("assistant", answer));
    return new Prompt.Chat(messages, List.of(), Map.of(), true);
  }

  @ParameterizedTest
  @MethodSource("formats")
  void keepsAnAnswerWithoutThinkingByteForByte(ReasoningFormat format) {
    for (var text : List.of("", " \n\n a\t<b> \n", "<", "[T", "{\"a\": 1}", "Here is", "\n\n")) {
      everyCut(format, false, text, new Found("", text, 0));
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void aMarkThatComesLaterIsText(ReasoningFormat format) {
    if (format instanceof TaggedReasoning) {
      var text = "Put it between " + format.opening() + " and " + format.closing() + ".";
      everyCut(format, false, text, new Found("", text, 0));
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void thinkingThatIsCutIsThinkingToItsLastCharacter(ReasoningFormat format) {
    var thought = "So far </thi";
    var reader = format.reader(true, PartReader.ofContent());
    assertThat(read(reader, true, List.of(thought))).isEqualTo(new Found(thought, "", 0));
  }

  @Test
  void graniteMayWrapItsAnswer() {
    var text = "<think>Hm.</think>\n<response>Yes </response> no.</response>\n";
    everyCut(ReasoningFormats.GRANITE, false, text, new Found("Hm.", "Yes </response> no.", 0));
    everyCut(
        ReasoningFormats.GRANITE,
        false,
        "Here's my thought process: Hm. Here is my response: Yes.",
        new Found(" Hm. ", " Yes.", 0));
  }

  @Test
  void harmonysCommentaryIsForTheReader() {
    everyCut(
        ReasoningFormats.HARMONY,
        false,
        "<|channel|>commentary<|message|>I look.<|end|><|start|>assistant"
            + "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant"
            + "<|channel|>final<|message|>Yes.<|return|>",
        new Found("Hm.", "I look.Yes.", 0));
  }

  @Test
  void aCallInTheThinkingIsNone() {
    var call = "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>";
    var format = AnswerFormat.named(Optional.of("qwen3"), Optional.of("hermes"));
    var tools = List.of(new Tool("f", Optional.empty(), Optional.empty(), false));
    assertThat(
            read(format.reader(tools, true), false, List.of("I could " + call + "</think>Well.")))
        .isEqualTo(new Found("I could " + call, "Well.", 0));
    assertThat(read(format.reader(tools, true), false, List.of("Hm.</think>\n\n" + call)))
        .isEqualTo(new Found("Hm.", "", 1));
  }
}
