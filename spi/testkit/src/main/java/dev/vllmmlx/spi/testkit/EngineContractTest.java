package dev.vllmmlx.spi.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.EngineStatus;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import dev.vllmmlx.spi.TokenLogprob;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What every engine keeps. Extend it, say how your engine is opened, and run it.
 *
 * <p>An engine under test answers its {@link #prompt} with at least some twenty tokens when it is
 * told to ignore its end of turn, and takes at least four requests at once or in a queue.
 */
public abstract class EngineContractTest {
  private Engine engine;

  /** Opens a new engine; the test closes it. */
  protected abstract Engine open();

  /** A prompt that the engine can answer. Different numbers give different prompts. */
  protected Prompt prompt(int number) {
    return new Prompt.Chat(
        List.of(
            Message.of(
                "user",
                "Tell me in a few words what is special about the number %d.".formatted(number))),
        List.of(),
        Map.of(),
        false);
  }

  /** How long a test waits for something that should happen soon. */
  protected Duration patience() {
    return Duration.ofSeconds(60);
  }

  /** Tokens of an answer in these tests: enough to see something in the middle of it. */
  protected int answerLength() {
    return 20;
  }

  @BeforeEach
  final void openEngine() {
    engine = open();
  }

  @AfterEach
  final void closeEngine() {
    engine.close();
  }

  private StopConditions length(int tokens) {
    return new StopConditions(tokens, 0, List.of(), Set.of(), true);
  }

  private GenerationRequest request(int number, Sampling sampling, StopConditions stop) {
    return GenerationRequest.of("contract-" + number, prompt(number), sampling, stop);
  }

  private RecordingSink generate(GenerationRequest request) {
    var sink = new RecordingSink();
    engine.generate(request, sink);
    return sink;
  }

  private RecordingSink answer(GenerationRequest request) {
    var sink = generate(request);
    sink.await(patience());
    return sink;
  }

  private RecordingSink greedy(int number) {
    return answer(request(number, Sampling.greedy(), length(answerLength())));
  }

  @Test
  void eventsComeInOrderAndTheTerminalOneIsLastAndAlone() throws InterruptedException {
    var sink = greedy(1);
    Thread.sleep(50); // for whatever might follow by mistake
    var events = sink.events();
    assertThat(events.getFirst()).isInstanceOf(GenerationEvent.Started.class);
    assertThat(events.getLast()).isInstanceOf(GenerationEvent.Finished.class);
    assertThat(events.subList(1, events.size() - 1))
        .as("all between the first and the last are deltas")
        .hasOnlyElementsOfType(GenerationEvent.Delta.class);
  }

  @Test
  void usageCountsWhatTheDeltasBrought() {
    var sink = greedy(1);
    var started = (GenerationEvent.Started) sink.events().getFirst();
    var finished = (GenerationEvent.Finished) sink.events().getLast();
    assertThat(finished.reason()).isEqualTo(FinishReason.LENGTH);
    assertThat(finished.usage().completionTokens()).isEqualTo(answerLength());
    assertThat(sink.tokens()).isEqualTo(answerLength());
    assertThat(finished.usage().promptTokens()).isEqualTo(started.promptTokens());
    assertThat(started.promptTokens()).isEqualTo(engine.tokenize(prompt(1)).length);
  }

  @Test
  void theHighestScoreIsTheSameEveryTime() {
    assertThat(greedy(1).text()).isEqualTo(greedy(1).text()).isNotEmpty();
  }

  @Test
  void theSameSeedDrawsTheSame() {
    var sampling = new Sampling(1.3f, 0.98f, 0, 0, 1, 0, 0, Map.of(), OptionalLong.of(42));
    var request = request(2, sampling, length(answerLength()));
    assertThat(answer(request).text()).isEqualTo(answer(request).text());
  }

  @Test
  void aStopStringCutsTheAnswerWhereverItFalls() {
    var whole = greedy(1).text();
    for (var stop :
        List.of(middle(whole, 1), middle(whole, 3), middle(whole, whole.length() / 2))) {
      var conditions =
          new StopConditions(answerLength(), 0, List.of("\u0001never", stop), Set.of(), true);
      var sink = answer(request(1, Sampling.greedy(), conditions));
      var finished = (GenerationEvent.Finished) sink.events().getLast();
      assertThat(sink.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
      assertThat(finished.reason()).isEqualTo(FinishReason.STOP);
      assertThat(finished.stop()).contains(stop);
    }
  }

  private static String middle(String text, int length) {
    var from = Math.max(0, (text.length() - length) / 2);
    return text.substring(from, Math.min(text.length(), from + Math.max(1, length)));
  }

  @Test
  void aStopTokenEndsTheAnswer() {
    var sink = answer(withLogprobs(request(1, Sampling.greedy(), length(answerLength())), 0));
    var fifth = sink.logprobs().get(4).token().id();
    var first = 0;
    while (sink.logprobs().get(first).token().id() != fifth) {
      first++;
    }
    var conditions = new StopConditions(answerLength(), 0, List.of(), Set.of(fifth), true);
    var stopped = answer(request(1, Sampling.greedy(), conditions));
    var finished = (GenerationEvent.Finished) stopped.events().getLast();
    assertThat(finished.reason()).isEqualTo(FinishReason.STOP);
    assertThat(finished.usage().completionTokens()).isEqualTo(first + 1);
    assertThat(sink.text()).startsWith(stopped.text());
  }

  @Test
  void logprobsComeWithEveryTokenAsAsked() {
    for (var top : new int[] {0, 2}) {
      var sink = answer(withLogprobs(request(3, Sampling.greedy(), length(8)), top));
      assertThat(sink.logprobs()).hasSize(8);
      for (var token : sink.logprobs()) {
        assertThat(token.token().logprob()).isLessThanOrEqualTo(1e-5f);
        assertThat(token.top()).hasSizeLessThanOrEqualTo(top);
        assertThat(token.top().stream().map(TokenLogprob.Candidate::logprob).toList())
            .isSortedAccordingTo((a, b) -> Float.compare(b, a));
      }
    }
    assertThat(answer(request(3, Sampling.greedy(), length(8))).logprobs()).isEmpty();
  }

  private static GenerationRequest withLogprobs(GenerationRequest request, int top) {
    return new GenerationRequest(
        request.id(),
        request.choice(),
        request.prompt(),
        request.sampling(),
        request.stop(),
        request.constraint(),
        OptionalInt.of(top),
        request.deadline(),
        request.priority(),
        request.tenant());
  }

  @Test
  void requestsAtOnceAnswerAsTheyDoAlone() {
    var alone = List.of(greedy(1).text(), greedy(2).text(), greedy(3).text(), greedy(4).text());
    var together = new ArrayList<RecordingSink>();
    for (var number = 1; number <= 4; number++) {
      together.add(generate(request(number, Sampling.greedy(), length(answerLength()))));
    }
    together.forEach(sink -> sink.await(patience()));
    assertThat(together.stream().map(RecordingSink::text).toList()).isEqualTo(alone);
  }

  @Test
  void cancellingEndsWithinAStep() {
    var sink = new RecordingSink();
    var generation = engine.generate(request(1, Sampling.greedy(), length(100_000)), sink);
    sink.awaitDeltas(2, patience());
    generation.cancel();
    generation.cancel();
    assertThat(sink.await(patience()))
        .isInstanceOfSatisfying(
            GenerationEvent.Finished.class,
            finished ->
                assertThat(finished.reason()).isIn(FinishReason.CANCELLED, FinishReason.LENGTH));
    generation.cancel();
    assertThat(greedy(1).text()).as("the next request is answered").isNotEmpty();
  }

  @Test
  void cancellingAtOnceIsATerminalEventToo() {
    var sink = new RecordingSink();
    engine.generate(request(1, Sampling.greedy(), length(100_000)), sink).cancel();
    assertThat(sink.await(patience())).isInstanceOf(GenerationEvent.Finished.class);
  }

  @Test
  void aDeadlineCancels() {
    var request = request(1, Sampling.greedy(), length(100_000));
    var sink =
        answer(
            new GenerationRequest(
                request.id(),
                0,
                request.prompt(),
                request.sampling(),
                request.stop(),
                request.constraint(),
                request.topLogprobs(),
                Optional.of(Instant.now().minusMillis(1)),
                0,
                ""));
    assertThat(((GenerationEvent.Finished) sink.events().getLast()).reason())
        .isEqualTo(FinishReason.CANCELLED);
  }

  @Test
  void aPromptBeyondTheContextIsRefused() {
    var ids = new int[engine.model().contextLength() + 1];
    java.util.Arrays.fill(ids, engine.tokenize(prompt(1))[0]);
    var sink =
        answer(
            GenerationRequest.of(
                "long", new Prompt.Tokens(ids), Sampling.greedy(), StopConditions.after(4)));
    assertThat(failure(sink)).isInstanceOf(EngineException.ContextExceeded.class);
  }

  @Test
  void aConstraintIsKeptOrRefusedNeverIgnored() {
    var request = request(1, Sampling.greedy(), length(answerLength()));
    var sink =
        answer(
            new GenerationRequest(
                request.id(),
                0,
                request.prompt(),
                request.sampling(),
                request.stop(),
                new Constraint.Choice(List.of("zebra crossing")),
                request.topLogprobs(),
                request.deadline(),
                0,
                ""));
    if (sink.events().getLast() instanceof GenerationEvent.Failed) {
      assertThat(failure(sink)).isInstanceOf(EngineException.InvalidRequest.class);
    } else {
      assertThat("zebra crossing").startsWith(sink.text());
    }
  }

  @Test
  void aSinkThatThrowsHarmsNobodyElse() {
    engine.generate(
        request(1, Sampling.greedy(), length(answerLength())),
        event -> {
          throw new IllegalStateException("this sink throws on purpose");
        });
    assertThat(greedy(2).text()).isNotEmpty();
    assertThat(engine.status().state()).isEqualTo(EngineStatus.State.READY);
  }

  @Test
  void theThreadShowsThatItIsAlive() throws InterruptedException {
    Thread.sleep(1200);
    assertThat(engine.status().sinceAlive()).as("when idle").isLessThan(Duration.ofSeconds(2));
    greedy(1);
    assertThat(engine.status().sinceAlive()).as("when busy").isLessThan(Duration.ofSeconds(2));
  }

  @Test
  void textGoesToIdsAndBack() {
    var text = "The quick brown fox: 1 + 1 = 2.";
    var ids = engine.tokenize(new Prompt.Text(text, false));
    assertThat(engine.detokenize(ids)).isEqualTo(text);
    assertThat(java.util.Arrays.stream(ids).boxed())
        .allMatch(id -> id >= 0 && id < engine.model().vocabularySize());
  }

  @Test
  void closingEndsWhatRunsAndRefusesTheRest() {
    var running = generate(request(1, Sampling.greedy(), length(100_000)));
    var waiting = generate(request(2, Sampling.greedy(), length(100_000)));
    running.awaitDeltas(1, patience());
    engine.close();
    engine.close();
    // An answer may have reached the end of the context before.
    for (var sink : List.of(running, waiting)) {
      if (sink.await(patience()) instanceof GenerationEvent.Failed(var error)) {
        assertThat(error).isInstanceOf(EngineException.Unavailable.class);
      }
    }
    var late = generate(request(3, Sampling.greedy(), length(4)));
    assertThat(failure(late)).isInstanceOf(EngineException.Unavailable.class);
    assertThat(engine.status().state()).isEqualTo(EngineStatus.State.CLOSED);
  }

  @Test
  void nothingIsHeldWhenAllHaveEnded() {
    greedy(1);
    var before = engine.status().gauges().get("live_handles");
    if (before == null) {
      return; // An engine without native handles.
    }
    for (var i = 0; i < 3; i++) {
      greedy(1);
      var sink = new RecordingSink();
      var generation = engine.generate(request(1, Sampling.greedy(), length(1000)), sink);
      sink.awaitDeltas(2, patience());
      generation.cancel();
      sink.await(patience());
    }
    greedy(1);
    assertThat(engine.status().gauges().get("live_handles")).isLessThanOrEqualTo(before);
  }

  @Test
  void generateNeverThrowsAndReturnsAtOnce() {
    var began = System.nanoTime();
    assertThatCode(() -> generate(request(1, Sampling.greedy(), length(answerLength()))))
        .doesNotThrowAnyException();
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
  }

  private EngineException failure(RecordingSink sink) {
    var end = sink.await(patience());
    assertThat(end).isInstanceOf(GenerationEvent.Failed.class);
    return ((GenerationEvent.Failed) end).error();
  }
}
