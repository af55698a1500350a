package dev.vllmmlx.mlx.sequence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationEvent.Delta;
import dev.vllmmlx.spi.GenerationEvent.Failed;
import dev.vllmmlx.spi.GenerationEvent.Finished;
import dev.vllmmlx.spi.GenerationEvent.Started;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.GenerationSink;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import dev.vllmmlx.spi.Usage;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A sequence whose scores name one token at each step. */
class SequenceTest {
  private static final SequenceLimits LIMITS = new SequenceLimits(100, TinyTokenizer.SIZE);

  @TempDir static Path folder;
  private static Tokenizer tokenizer;

  private final List<GenerationEvent> events = new ArrayList<>();

  @BeforeAll
  static void readTokenizer() {
    tokenizer = TinyTokenizer.in(folder);
  }

  @Test
  void tellsEachTokenAndItsText() {
    var sequence = sequence(StopConditions.after(3));
    sequence.begin(1);
    sequence.started();
    assertThat(say(sequence, "abc")).isFalse();
    assertThat(events)
        .startsWith(
            new Started(2, 1),
            new Delta("a", 1, List.of()),
            new Delta("b", 1, List.of()),
            new Delta("c", 1, List.of()));
    assertFinished(FinishReason.LENGTH, null, 3);
    assertThat(((Finished) events.getLast()).usage()).isEqualTo(new Usage(2, 1, 3));
  }

  @Test
  void endsAtTheModelsOwnEnd() {
    var sequence = sequence(StopConditions.after(10));
    assertThat(say(sequence, "hi")).isTrue();
    assertThat(step(sequence, TinyTokenizer.EOS)).isFalse();
    assertThat(text()).isEqualTo("hi");
    assertFinished(FinishReason.STOP, "<|eos|>", 3);
  }

  @Test
  void goesOnPastTheModelsOwnEndWhenToldTo() {
    var sequence = sequence(new StopConditions(10, 0, List.of(), Set.of(), true));
    step(sequence, TinyTokenizer.EOS);
    assertThat(say(sequence, "on")).isTrue();
    assertThat(text()).isEqualTo("on");
  }

  @Test
  void endsAtAStopTokenWithoutItsText() {
    var x = tokenizer.encode("x", false)[0];
    var sequence = sequence(new StopConditions(10, 0, List.of(), Set.of(x), false));
    assertThat(say(sequence, "abx")).isFalse();
    assertThat(text()).isEqualTo("ab");
    assertFinished(FinishReason.STOP, "x", 3);
  }

  @Test
  void endsBeforeAStopStringThatSpansTokens() {
    var sequence = sequence(new StopConditions(20, 0, List.of("END", "zz"), Set.of(), false));
    assertThat(say(sequence, "an EEND")).isFalse();
    assertThat(text()).isEqualTo("an E");
    assertFinished(FinishReason.STOP, "END", 7);
  }

  @Test
  void givesOutWhatItHeldBackAtTheEnd() {
    var sequence = sequence(new StopConditions(4, 0, List.of("END"), Set.of(), false));
    say(sequence, "a EN");
    assertThat(text()).isEqualTo("a EN");
    assertFinished(FinishReason.LENGTH, null, 4);
  }

  @Test
  void givesOutWhatItHeldBackWhenCancelled() {
    var sequence = sequence(new StopConditions(40, 0, List.of("END"), Set.of(), false));
    say(sequence, "a EN");
    sequence.cancel();
    assertThat(events.get(events.size() - 2)).isEqualTo(new Delta("EN", 0, List.of()));
    assertFinished(FinishReason.CANCELLED, null, 4);
    sequence.cancel();
    sequence.fail(new EngineException.Internal("late", null));
    assertThat(events.getLast()).isInstanceOf(Finished.class);
  }

  @Test
  void countsNoStopStringAmongMinTokens() {
    var stop = new StopConditions(20, 3, List.of("b"), Set.of(), false);
    assertThat(say(sequence(stop), "abb")).isTrue();
    assertThat(text()).isEqualTo("abb");
    events.clear();
    assertThat(say(sequence(stop), "abbb")).isFalse();
    assertThat(text()).isEqualTo("abb");
    assertFinished(FinishReason.STOP, "b", 4);
  }

  @Test
  void choosesNoEndAmongMinTokens() {
    var sequence = sequence(new StopConditions(20, 1, List.of(), Set.of(), false));
    var logits = new float[TinyTokenizer.SIZE];
    logits[TinyTokenizer.EOS] = 9;
    logits['a' - '!' + 33] = 5;
    assertThat(sequence.step(logits)).isTrue();
  }

  @Test
  void sendsWholeCharactersOnly() {
    var sequence = sequence(StopConditions.after(20));
    say(sequence, "é😀");
    assertThat(events.stream().map(Delta.class::cast).map(Delta::text).filter(t -> !t.isEmpty()))
        .containsExactly("é", "😀");
    assertThat(events).hasSize(6);
  }

  @Test
  void endsACharacterThatWasCutOff() {
    var sequence = sequence(StopConditions.after(2));
    say(sequence, "😀");
    assertThat(text()).isEqualTo("�");
    assertFinished(FinishReason.LENGTH, null, 2);
  }

  @Test
  void cutsTheAnswerToTheContext() {
    var sequence = sequence(StopConditions.after(1_000), new int[97], OptionalInt.empty(), null);
    assertThat(say(sequence, "abcdef")).isFalse();
    assertFinished(FinishReason.LENGTH, null, 3);
  }

  @Test
  void refusesAPromptThatLeavesNoRoom() {
    var refusal =
        catchThrowableOfType(
            EngineException.ContextExceeded.class,
            () -> sequence(StopConditions.after(1), new int[100], OptionalInt.empty(), null));
    assertThat(refusal.promptTokens()).isEqualTo(100);
    assertThat(refusal.contextLength()).isEqualTo(100);
  }

  @Test
  void refusesIdsThatAreNone() {
    assertThatThrownBy(
            () -> sequence(StopConditions.after(1), new int[0], OptionalInt.empty(), null))
        .isInstanceOf(EngineException.InvalidRequest.class)
        .hasMessageContaining("prompt");
    assertThatThrownBy(
            () ->
                sequence(
                    StopConditions.after(1),
                    new int[] {TinyTokenizer.SIZE},
                    OptionalInt.empty(),
                    null))
        .isInstanceOf(EngineException.InvalidRequest.class)
        .hasMessageContaining("prompt");
    assertThatThrownBy(() -> sequence(new StopConditions(1, 0, List.of(), Set.of(-1), false)))
        .isInstanceOf(EngineException.InvalidRequest.class)
        .hasMessageContaining("stop_token_ids");
  }

  @Test
  void namesTheBytesOfLikelyTokens() {
    var sequence = sequence(StopConditions.after(5), new int[] {0}, OptionalInt.of(2), events::add);
    var euro = "€".getBytes(StandardCharsets.UTF_8);
    var id = tokenizer.encode("€", false)[0];
    step(sequence, id);
    var logprobs = ((Delta) events.getFirst()).logprobs();
    assertThat(logprobs).hasSize(1);
    assertThat(logprobs.getFirst().token().id()).isEqualTo(id);
    assertThat(logprobs.getFirst().token().bytes()).containsExactly(euro[0]);
    assertThat(logprobs.getFirst().top()).hasSize(2);
    assertThat(logprobs.getFirst().top().getFirst().id()).isEqualTo(id);
  }

  @Test
  void isCancelledByASinkThatThrows() {
    var heard = new ArrayList<GenerationEvent>();
    var sequence =
        sequence(
            StopConditions.after(5),
            new int[] {0},
            OptionalInt.empty(),
            event -> {
              heard.add(event);
              throw new IllegalStateException("nobody listens");
            });
    assertThat(say(sequence, "a")).isFalse();
    assertThat(heard.getLast())
        .isInstanceOfSatisfying(
            Finished.class,
            finished -> assertThat(finished.reason()).isEqualTo(FinishReason.CANCELLED));
  }

  @Test
  void failsWithItsOwnErrorAlone() {
    var sequence = sequence(StopConditions.after(5));
    sequence.begin(0);
    var broken = new float[TinyTokenizer.SIZE];
    broken[7] = Float.NaN;
    assertThatThrownBy(() -> sequence.step(broken)).isInstanceOf(EngineException.Internal.class);
    sequence.fail(new EngineException.Internal("bad scores", null));
    assertThat(events).hasSize(1);
    assertThat(events.getFirst()).isInstanceOf(Failed.class);
    assertThat(sequence.ended()).isTrue();
  }

  private Sequence sequence(StopConditions stop) {
    return sequence(stop, new int[] {1, 2}, OptionalInt.empty(), events::add);
  }

  private Sequence sequence(
      StopConditions stop, int[] prompt, OptionalInt topLogprobs, GenerationSink sink) {
    var request =
        new GenerationRequest(
            "test",
            0,
            new Prompt.Tokens(prompt),
            Sampling.greedy(),
            stop,
            new Constraint.None(),
            topLogprobs,
            Optional.<Instant>empty(),
            0,
            "");
    var heard = sink == null ? (GenerationSink) events::add : sink;
    return new Sequence(
        request,
        prompt,
        LIMITS,
        tokenizer,
        AnswerRules.NONE,
        new EventOutlet("test", heard, () -> {}),
        System.nanoTime());
  }

  /** Steps through the ids of a text until the sequence ends; whether it goes on. */
  private static boolean say(Sequence sequence, String text) {
    for (var id : tokenizer.encode(text, false)) {
      if (!step(sequence, id)) {
        return false;
      }
    }
    return true;
  }

  private static boolean step(Sequence sequence, int id) {
    var logits = new float[TinyTokenizer.SIZE];
    logits[id] = 10;
    return sequence.step(logits);
  }

  private String text() {
    return events.stream()
        .filter(Delta.class::isInstance)
        .map(event -> ((Delta) event).text())
        .collect(Collectors.joining());
  }

  private void assertFinished(FinishReason reason, String stop, int completionTokens) {
    var finished = (Finished) events.getLast();
    assertThat(finished.reason()).isEqualTo(reason);
    assertThat(finished.stop()).isEqualTo(Optional.ofNullable(stop));
    assertThat(finished.usage().completionTokens()).isEqualTo(completionTokens);
    var tokens =
        events.stream()
            .filter(Delta.class::isInstance)
            .mapToInt(event -> ((Delta) event).tokens())
            .sum();
    assertThat(tokens).isEqualTo(completionTokens);
  }
}
