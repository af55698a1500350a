package dev.vllmmlx.mlx.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.mlx.sequence.TinyTokenizer;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.EngineStatus;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.ModelInfo;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import dev.vllmmlx.spi.Timings;
import dev.vllmmlx.text.answer.AnswerFormat;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The engine's queue, threads, caches and ends, over a model that is quick and can be held up. */
class SimpleEngineTest {
  private static final int CONTEXT = 2_000;

  @TempDir static Path folder;
  private static Tokenizer tokenizer;

  private final HashModel model = new HashModel();
  private QueuedEngine engine;

  @BeforeAll
  static void readTokenizer() {
    tokenizer = TinyTokenizer.in(folder);
  }

  @BeforeEach
  void open() throws Exception {
    engine = open(4, new SimpleEngineSettings(16, 3, 1_000_000));
  }

  @AfterEach
  void closeAndCount() {
    engine.close();
    assertThat(model.liveStates).hasValue(0);
    assertThat(model.closed).isTrue();
  }

  @Test
  void answersAPrompt() throws Exception {
    var heard = generate("hello", 5);
    assertThat(heard.reason()).isEqualTo(FinishReason.LENGTH);
    assertThat(heard.text()).hasSize(5);
    assertThat(heard.started()).isEqualTo(new GenerationEvent.Started(5, 0));
    assertThat(heard.finished().usage().completionTokens()).isEqualTo(5);
    assertThat(heard.finished().timings())
        .extracting(Timings::queued, Timings::prefill, Timings::decode)
        .allMatch(each -> !((Duration) each).isNegative());
  }

  @Test
  void computesAPromptInChunks() throws Exception {
    generate("x".repeat(40), 1).awaitEnd();
    assertThat(model.passes).hasValue(3);
    assertThat(model.computedTokens).hasValue(40);
  }

  @Test
  void computesOnlyWhatIsNewInTheNextTurn() throws Exception {
    var first = generate("a long beginning", 8);
    first.awaitEnd();
    var next = "a long beginning" + first.text() + " and so on";
    model.computedTokens.set(0);
    var second = generate(next, 8);
    second.awaitEnd();
    // The first answer's last token was never computed.
    assertThat(second.started().cachedTokens()).isEqualTo(16 + 8 - 1);
    assertThat(second.finished().usage().cachedTokens()).isEqualTo(23);
    assertThat(model.computedTokens).hasValue(1 + 10 + 7);
    assertThat(second.text()).isEqualTo(textOfAFreshEngine(next, 8));
  }

  @Test
  void keepsTheCacheOfACancelledAnswer() throws Exception {
    var heard = new Heard();
    var steps = new Semaphore(6);
    model.atPass = steps::acquireUninterruptibly;
    var generation = engine.generate(request("a long beginning", 500), heard);
    heard.awaitFirstToken();
    generation.cancel();
    steps.release(1_000);
    assertThat(heard.reason()).isEqualTo(FinishReason.CANCELLED);
    var next = "a long beginning" + heard.text() + "!";
    var second = generate(next, 8);
    second.awaitEnd();
    assertThat(second.started().cachedTokens()).isGreaterThanOrEqualTo(16);
    assertThat(second.text()).isEqualTo(textOfAFreshEngine(next, 8));
  }

  @Test
  void keepsTheCachesOfSeveralChats() throws Exception {
    var chats = List.of("the first chat ", "a second chat ", "number three ");
    for (var chat : chats) {
      generate(chat, 4).awaitEnd();
    }
    var texts = new ArrayList<String>();
    for (var chat : chats) {
      var heard = generate(chat + "goes on", 4);
      heard.awaitEnd();
      assertThat(heard.started().cachedTokens()).isEqualTo(tokenizer.encode(chat, false).length);
      texts.add(heard.text());
    }
    for (var i = 0; i < chats.size(); i++) {
      assertThat(texts.get(i)).isEqualTo(textOfAFreshEngine(chats.get(i) + "goes on", 4));
    }
  }

  @Test
  void sharesNoCacheBetweenTenants() throws Exception {
    generate("a secret prompt", 4).awaitEnd();
    var heard = new Heard();
    engine.generate(of("a secret prompt", 4, 0, "somebody else", Optional.empty()), heard);
    heard.awaitEnd();
    assertThat(heard.started().cachedTokens()).isZero();
  }

  @Test
  void cancelsWithinOneStep() throws Exception {
    var steps = new Semaphore(4);
    model.atPass = steps::acquireUninterruptibly;
    var heard = new Heard();
    var generation = engine.generate(request("hello", 1_000), heard);
    heard.awaitFirstToken();
    awaitPasses(4);
    var before = model.passes.get();
    generation.cancel();
    generation.cancel();
    steps.release(1_000);
    assertThat(heard.reason()).isEqualTo(FinishReason.CANCELLED);
    assertThat(model.passes.get() - before).isLessThanOrEqualTo(1);
    generation.cancel();
    assertThat(heard.events().stream().filter(GenerationEvent.Terminal.class::isInstance))
        .hasSize(1);
  }

  @Test
  void cancelsDuringALongPrompt() throws Exception {
    var steps = new Semaphore(2);
    model.atPass = steps::acquireUninterruptibly;
    var heard = new Heard();
    var generation = engine.generate(request("x".repeat(1_500), 10), heard);
    awaitPasses(2);
    generation.cancel();
    steps.release(1_000);
    assertThat(heard.reason()).isEqualTo(FinishReason.CANCELLED);
    assertThat(heard.events()).hasSize(1);
    assertThat(model.passes.get()).isLessThanOrEqualTo(3);
  }

  @Test
  void cancelsAtOnceWhatWaits() throws Exception {
    var gate = holdUp();
    var running = generate("first", 3);
    awaitRunning();
    var waiting = new Heard();
    var generation = engine.generate(request("second", 3), waiting);
    awaitWaiting(1);
    generation.cancel();
    assertThat(waiting.ended()).isTrue();
    assertThat(waiting.reason()).isEqualTo(FinishReason.CANCELLED);
    assertThat(engine.status().waiting()).isZero();
    gate.release(1_000);
    assertThat(running.reason()).isEqualTo(FinishReason.LENGTH);
  }

  @Test
  void cancelsAtTheDeadline() throws Exception {
    model.atPass = () -> sleep(5);
    var running = new Heard();
    var soon = Optional.of(Instant.now().plusMillis(300));
    engine.generate(of("hello", 1_500, 0, "", soon), running);
    awaitRunning();
    var waiting = new Heard();
    engine.generate(of("hello", 5, 0, "", Optional.of(Instant.now().plusMillis(50))), waiting);
    assertThat(waiting.reason()).isEqualTo(FinishReason.CANCELLED);
    assertThat(running.ended()).isFalse();
    assertThat(running.reason()).isEqualTo(FinishReason.CANCELLED);
    assertThat(running.text()).isNotEmpty();
  }

  @Test
  void refusesOnlyWhenTheQueueIsFull() throws Exception {
    var gate = holdUp();
    var accepted = new ArrayList<Heard>();
    accepted.add(generate("running", 2));
    awaitRunning();
    for (var i = 0; i < 4; i++) {
      accepted.add(generate("waiting", 2));
    }
    var refused = generate("one too many", 2);
    var overloaded = refused.failure(EngineException.Overloaded.class);
    assertThat(overloaded.retryAfter()).isGreaterThanOrEqualTo(Duration.ofSeconds(1));
    gate.release(1_000);
    for (var heard : accepted) {
      assertThat(heard.reason()).isEqualTo(FinishReason.LENGTH);
    }
    assertThat(generate("again", 2).reason()).isEqualTo(FinishReason.LENGTH);
  }

  @Test
  void letsTheNextRequestInAtTheTerminalEvent() throws Exception {
    engine.close();
    engine = open(0, new SimpleEngineSettings(16, 2, 1_000_000));
    for (var i = 0; i < 50; i++) {
      assertThat(generate("hi", 1).reason()).isEqualTo(FinishReason.LENGTH);
    }
  }

  @Test
  void servesTenantsInTurnAndPriorityFirst() throws Exception {
    engine.close();
    engine = open(20, new SimpleEngineSettings(16, 2, 1_000_000));
    var gate = holdUp();
    var order = new CopyOnWriteArrayList<String>();
    var all = new ArrayList<Heard>();
    all.add(generate("running", 1));
    awaitRunning();
    for (var name : List.of("a1", "a2", "a3", "b1", "b2", "c1", "!9")) {
      var heard = new Heard();
      all.add(heard);
      var priority = name.startsWith("!") ? 1 : 0;
      engine.generate(
          of(name, 1, priority, name.substring(0, 1), Optional.empty()),
          event -> {
            if (event instanceof GenerationEvent.Started) {
              order.add(name);
            }
            heard.accept(event);
          });
      awaitWaiting(all.size() - 1);
    }
    gate.release(1_000);
    for (var heard : all) {
      heard.awaitEnd();
    }
    assertThat(order).containsExactly("!9", "a1", "b1", "c1", "a2", "b2", "a3");
  }

  @ParameterizedTest
  @MethodSource("faults")
  void failsOneRequestAndGoesOn(Throwable fault) throws Exception {
    var passes = new int[1];
    model.atPass =
        () -> {
          if (++passes[0] == 3) {
            switch (fault) {
              case RuntimeException exception -> throw exception;
              case Error error -> throw error;
              default -> throw new AssertionError(fault);
            }
          }
        };
    assertThat(generate("hello", 10).failure(EngineException.Internal.class)).hasCause(fault);
    assertThat(engine.status().state()).isEqualTo(EngineStatus.State.READY);
    assertThat(generate("hello", 10).awaitEnd().text()).isEqualTo(textOfAFreshEngine("hello", 10));
  }

  static Stream<Throwable> faults() {
    return Stream.of(
        new IllegalStateException("[matmul] shapes do not fit"),
        new OutOfMemoryError("of a pass"),
        new StackOverflowError("in the depths of a pass"));
  }

  @Test
  void saysWhyItsThreadEnded() throws Exception {
    var resting = new Semaphore(0);
    var gate = new Semaphore(0);
    model.atRest =
        () -> {
          resting.release();
          gate.acquireUninterruptibly();
          throw new NoClassDefFoundError("dev/vllmmlx/Missing");
        };
    resting.acquire();
    var waiting = generate("hello", 10);
    gate.release();
    waiting.failure(EngineException.Unavailable.class);
    generate("late", 1).failure(EngineException.Unavailable.class);
    assertThat(engine.status().state()).isEqualTo(EngineStatus.State.FAILED);
    assertThat(engine.status().reason()).contains("dev/vllmmlx/Missing");
  }

  @Test
  void endsEverythingWhenClosed() throws Exception {
    model.atPass = () -> sleep(5);
    var running = generate("hello", 1_000);
    running.awaitFirstToken();
    var waiting = generate("hello", 10);
    engine.close();
    assertThat(running.ended()).isTrue();
    assertThat(waiting.ended()).isTrue();
    running.failure(EngineException.Unavailable.class);
    waiting.failure(EngineException.Unavailable.class);
    generate("late", 1).failure(EngineException.Unavailable.class);
    assertThat(engine.status().state()).isEqualTo(EngineStatus.State.CLOSED);
    assertThat(model.liveStates).hasValue(0);
    engine.close();
  }

  @Test
  void isCancelledByASinkThatThrows() throws Exception {
    var heard = new Heard();
    engine.generate(
        request("hello", 1_000),
        event -> {
          heard.accept(event);
          throw new IllegalStateException("nobody listens");
        });
    heard.awaitEnd();
    assertThat(model.passes.get()).isLessThanOrEqualTo(2);
    assertThat(generate("hello", 3).reason()).isEqualTo(FinishReason.LENGTH);
  }

  @Test
  void refusesWhatItCannotServe() throws Exception {
    var constrained = new Heard();
    var request = request("hello", 3);
    engine.generate(
        new GenerationRequest(
            "json",
            0,
            request.prompt(),
            request.sampling(),
            request.stop(),
            new Constraint.Regex("("),
            OptionalInt.empty(),
            Optional.empty(),
            0,
            ""),
        constrained);
    assertThat(constrained.failure(EngineException.InvalidRequest.class).field())
        .contains("constraint");

    var chat = new Heard();
    var messages = List.of(Message.of("user", "hi"));
    engine.generate(
        GenerationRequest.of(
            "chat",
            new Prompt.Chat(messages, List.of(), Map.of(), false),
            Sampling.greedy(),
            StopConditions.after(3)),
        chat);
    assertThat(chat.failure(EngineException.InvalidRequest.class).field()).contains("messages");

    var tooLong = generate("x".repeat(CONTEXT), 3).failure(EngineException.ContextExceeded.class);
    assertThat(tooLong.promptTokens()).isEqualTo(CONTEXT);
    assertThat(tooLong.contextLength()).isEqualTo(CONTEXT);
    assertThat(engine.status().waiting()).isZero();
  }

  @Test
  void saysThatItIsAlive() throws Exception {
    Thread.sleep(1_200);
    assertThat(engine.status().sinceAlive()).isLessThan(Duration.ofSeconds(1));
    assertThat(engine.status().running()).isZero();
    var gate = holdUp();
    var heard = generate("hello", 3);
    awaitRunning();
    Thread.sleep(100);
    assertThat(engine.status().sinceAlive()).isGreaterThanOrEqualTo(Duration.ofMillis(90));
    gate.release(1_000);
    heard.awaitEnd();
    assertThat(engine.status().gauges()).containsKeys("live_handles", "cached_tokens");
  }

  @Test
  void drawsTheSameForASeedWhateverElseRuns() throws Exception {
    var sampling = new Sampling(1.5f, 1, 0, 0, 1, 0, 0, Map.of(), OptionalLong.of(11));
    var texts = new ArrayList<String>();
    for (var i = 0; i < 3; i++) {
      generate("something between " + i, 3).awaitEnd();
      var heard = new Heard();
      engine.generate(
          GenerationRequest.of(
              "seeded", new Prompt.Text("hello", false), sampling, StopConditions.after(30)),
          heard);
      heard.awaitEnd();
      texts.add(heard.text());
    }
    assertThat(Set.copyOf(texts)).hasSize(1);
  }

  @Test
  void survivesAThousandRequestsOfWhichSomeAreCancelled() throws Exception {
    engine.close();
    engine = open(1_000, new SimpleEngineSettings(16, 3, 2_000));
    var random = new Random(5);
    var all = new ArrayList<Heard>();
    for (var i = 0; i < 1_000; i++) {
      var heard = new Heard();
      all.add(heard);
      var prompt = "chat %d %s".formatted(random.nextInt(5), "x".repeat(random.nextInt(60)));
      var tenant = Integer.toString(random.nextInt(3));
      var generation =
          engine.generate(
              of(prompt, 1 + random.nextInt(30), random.nextInt(2), tenant, Optional.empty()),
              heard);
      switch (random.nextInt(6)) {
        case 0 -> generation.cancel();
        case 1 ->
            Thread.startVirtualThread(
                () -> {
                  sleep(2);
                  generation.cancel();
                });
        default -> {}
      }
    }
    for (var heard : all) {
      assertThat(heard.reason()).isIn(FinishReason.LENGTH, FinishReason.CANCELLED);
    }
    assertThat(engine.status().waiting()).isZero();
    // What is left is the caches of chats; the last one's is put away after its end is told.
    await(() -> model.liveStates.get() <= 3);
  }

  private QueuedEngine open(int maxQueue, SimpleEngineSettings settings) throws Exception {
    var info =
        new ModelInfo(
            "tiny",
            CONTEXT,
            TinyTokenizer.SIZE,
            Set.of(ModelInfo.Modality.TEXT),
            new ModelInfo.TemplateCapabilities(false, false, false),
            Sampling.greedy(),
            Instant.EPOCH);
    var loop = new EngineLoop<>(new FairQueue<Job>(), new OneAtATime(settings));
    loop.start(() -> model);
    var prompts = new PromptEncoder(tokenizer, Optional.empty(), AnswerFormat.TEXT);
    return new QueuedEngine(info, tokenizer, prompts, AnswerFormat.TEXT, loop, maxQueue, 1);
  }

  private String textOfAFreshEngine(String prompt, int maxTokens) throws Exception {
    engine.close();
    model.atPass = () -> {};
    engine = open(4, new SimpleEngineSettings(16, 3, 1_000_000));
    return generate(prompt, maxTokens).awaitEnd().text();
  }

  private Heard generate(String prompt, int maxTokens) {
    var heard = new Heard();
    engine.generate(request(prompt, maxTokens), heard);
    return heard;
  }

  private static GenerationRequest request(String prompt, int maxTokens) {
    return of(prompt, maxTokens, 0, "", Optional.empty());
  }

  private static GenerationRequest of(
      String prompt, int maxTokens, int priority, String tenant, Optional<Instant> deadline) {
    return new GenerationRequest(
        prompt,
        0,
        new Prompt.Text(prompt, false),
        Sampling.greedy(),
        StopConditions.after(maxTokens),
        new Constraint.None(),
        OptionalInt.empty(),
        deadline,
        priority,
        tenant);
  }

  /** Makes every pass wait for a permit. */
  private Semaphore holdUp() {
    var gate = new Semaphore(0);
    model.atPass = gate::acquireUninterruptibly;
    return gate;
  }

  private void awaitRunning() {
    await(() -> engine.status().running() == 1);
  }

  private void awaitWaiting(int count) {
    await(() -> engine.status().waiting() == count);
    // In the queue proper, not on its way there.
    sleep(20);
  }

  private void awaitPasses(int count) {
    await(() -> model.passes.get() >= count);
  }

  private static void await(java.util.function.BooleanSupplier condition) {
    for (var i = 0; i < 4_000 && !condition.getAsBoolean(); i++) {
      sleep(5);
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }

  private static void sleep(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
