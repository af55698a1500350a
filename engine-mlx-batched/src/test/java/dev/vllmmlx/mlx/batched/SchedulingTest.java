package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.FinishReason;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Who is computed when. The engine is the real one; a gate before each step lets a test see what is
 * in it and say when it goes on.
 */
class SchedulingTest {
  @TempDir static Path folder;
  private static Path tiny;

  @BeforeAll
  static void writeModel() {
    tiny = Engines.tinyModel(folder);
  }

  /** Steps wait until they are let through, and are written down. */
  private static final class Gate implements FaultyModel.Fault {
    private final Semaphore open = new Semaphore(0);
    private final List<Map<String, Integer>> steps =
        Collections.synchronizedList(new ArrayList<>());

    @Override
    public void before(List<Chunk> chunks, Consumer<List<Chunk>> computes) {
      pass();
      var tokens = new HashMap<String, Integer>();
      for (var chunk : chunks) {
        tokens.merge(chunk.row().job().request().id(), chunk.tokens().length, Integer::sum);
      }
      steps.add(tokens);
    }

    /** A test that failed opens no gate: it is not to wait for its engine for ever. */
    private void pass() {
      try {
        if (!open.tryAcquire(60, TimeUnit.SECONDS)) {
          throw new IllegalStateException("the test did not let this step through");
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }

    void openForGood() {
      open.release(1_000_000);
    }

    /** So many steps at least went through, and the next one is planned and waits. */
    void awaitStepAfter(int passed) throws InterruptedException {
      while (steps.size() < passed || open.getQueueLength() == 0) {
        Thread.sleep(1);
      }
    }

    /** In which step a request had tokens for the first time. */
    int firstStep(String id) {
      for (var i = 0; i < steps.size(); i++) {
        if (steps.get(i).containsKey(id)) {
          return i;
        }
      }
      throw new AssertionError(id + " was never computed");
    }
  }

  private final Gate gate = new Gate();

  private Engine engine(String... options) {
    var all = new HashMap<>(Map.of("use-paged-cache", "true"));
    for (var i = 0; i < options.length; i += 2) {
      all.put(options[i], options[i + 1]);
    }
    return Engines.faulty(tiny, all, gate);
  }

  /** Keeps the engine's thread at the gate, so that what is asked next waits in the queue. */
  private Answer occupy(Engine engine, int tokens) throws InterruptedException {
    var first = Requests.of("first", "First.", tokens).ask(engine);
    gate.awaitStepAfter(0);
    return first;
  }

  private static void awaitWaiting(Engine engine, int count) throws InterruptedException {
    for (var i = 0; i < 6000; i++) {
      // Their prompts are read on other threads.
      var known =
          engine.status().requests().stream().filter(each -> each.promptTokens() > 0).count();
      if (engine.status().waiting() == count && known == count + engine.status().running()) {
        Thread.sleep(20);
        return;
      }
      Thread.sleep(5);
    }
    throw new AssertionError("never %d waiting: %s".formatted(count, engine.status()));
  }

  @Test
  void tenantsTakeTurnsHoweverManyRequestsEachHas() throws Exception {
    try (var engine = engine("max-num-seqs", "1")) {
      occupy(engine, 2);
      var all = new ArrayList<Answer>();
      for (var i = 0; i < 6; i++) {
        all.add(Requests.of("many-" + i, "Hello " + i, 3).tenant("many").ask(engine));
      }
      awaitWaiting(engine, 6);
      for (var i = 0; i < 2; i++) {
        all.add(Requests.of("few-" + i, "Hello " + i, 3).tenant("few").ask(engine));
      }
      awaitWaiting(engine, 8);
      gate.openForGood();
      for (var answer : all) {
        answer.finished();
      }
      assertThat(gate.firstStep("many-0")).isLessThan(gate.firstStep("few-0"));
      assertThat(gate.firstStep("few-0")).isLessThan(gate.firstStep("many-1"));
      assertThat(gate.firstStep("few-1")).isLessThan(gate.firstStep("many-2"));
    }
  }

  @Test
  void tenantsShareWhatAStepHasForPrompts() throws Exception {
    try (var engine = engine("max-batch-tokens", "64")) {
      occupy(engine, 1);
      for (var i = 0; i < 4; i++) {
        Requests.of("long-" + i, i + "x".repeat(400), 2).tenant("many").ask(engine);
      }
      awaitWaiting(engine, 4);
      var brief = Requests.of("brief", "y".repeat(30), 2).tenant("few").ask(engine);
      awaitWaiting(engine, 5);
      gate.openForGood();
      brief.finished();
      var step = gate.steps.get(gate.firstStep("brief"));
      assertThat(step).containsEntry("brief", 30).containsEntry("long-0", 34);
      assertThat(step.keySet()).containsExactlyInAnyOrder("brief", "long-0");
    }
  }

  @Test
  void aHigherPriorityGoesFirstAndTakesTheRoomOfALower() throws Exception {
    try (var engine = engine("max-num-seqs", "1");
        var simple = Engines.simple(Optional.of(tiny))) {
      var first = occupy(engine, 40);
      var low = Requests.of("low", "Hello", 5).priority(-1).ask(engine);
      awaitWaiting(engine, 1);
      gate.open.release(10);
      gate.awaitStepAfter(10);
      var high = Requests.of("high", "Hello", 5).priority(3).ask(engine);
      awaitWaiting(engine, 2);
      gate.openForGood();
      assertThat(high.finished().reason()).isEqualTo(FinishReason.LENGTH);
      first.finished();
      low.finished();
      assertThat(gate.firstStep("high")).isEqualTo(11);
      assertThat(gate.firstStep("low")).isEqualTo(45);
      // Who had to give way has its answer all the same.
      var alone = Requests.of("first", "First.", 40).ask(simple);
      alone.finished();
      assertThat(first.tokens()).isEqualTo(alone.tokens());
      assertThat(engine.status().gauges().get("preemptions_total")).isEqualTo(1);
    }
  }

  @Test
  void aDeadlineEndsWhoRunsAndWhoWaits() throws Exception {
    try (var engine = engine("max-num-seqs", "1")) {
      var deadline = Instant.now().plusMillis(2000);
      var first = Requests.of("first", "First.", 400).deadline(deadline).ask(engine);
      gate.open.release(5);
      first.awaitFirstToken();
      var second = Requests.of("second", "Second.", 400).deadline(deadline).ask(engine);
      while (Instant.now().isBefore(deadline)) {
        Thread.sleep(10);
      }
      var late = Requests.of("late", "Late.", 3).ask(engine);
      gate.openForGood();
      assertThat(first.finished().reason()).isEqualTo(FinishReason.CANCELLED);
      assertThat(second.finished().reason()).isEqualTo(FinishReason.CANCELLED);
      assertThat(second.tokens()).isEmpty();
      assertThat(late.finished().reason()).isEqualTo(FinishReason.LENGTH);
      Engines.awaitIdle(engine);
    }
  }

  @Test
  void whoCannotWaitIsToldWhenToComeBack() throws Exception {
    try (var engine = engine("max-num-seqs", "1", "max-queue", "2")) {
      occupy(engine, 2);
      var waiting =
          List.of(Requests.of("a", "A", 2).ask(engine), Requests.of("b", "B", 2).ask(engine));
      var refused = Requests.of("c", "C", 2).ask(engine);
      assertThat(refused.failed().error())
          .isInstanceOfSatisfying(
              EngineException.Overloaded.class, e -> assertThat(e.retryAfter()).isPositive());
      gate.openForGood();
      for (var answer : waiting) {
        answer.finished();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatCanNeverFitIsRefused(boolean paged) throws Exception {
    gate.openForGood();
    // Room for 256 tokens, of a context of 512.
    try (var engine =
        engine("use-paged-cache", Boolean.toString(paged), "kv-cache-memory", "128KB")) {
      assertThat(engine.model().contextLength()).isEqualTo(256);
      var refused = Requests.of("long", "x".repeat(300), 5).ask(engine).awaitEnd();
      assertThat(refused.failed().error()).isInstanceOf(EngineException.ContextExceeded.class);
      // As much as fits is answered, up to the end of the memory.
      var most = Requests.of("most", "x".repeat(200), 400).ask(engine).finished();
      assertThat(most.usage().completionTokens()).isEqualTo(56);
      Engines.awaitIdle(engine);
    }
  }

  @Test
  void whatARequestSharesWithOthersTakesNoRoom() throws Exception {
    // Room for 256 tokens: one of these alone takes more than half of it.
    try (var engine = engine("kv-cache-memory", "128KB")) {
      var shared = "x".repeat(150);
      var first = Requests.of("first", shared + "1", 20).ask(engine);
      gate.open.release(2);
      first.awaitFirstToken();
      gate.awaitStepAfter(2);
      var sharing = Requests.of("sharing", shared + "2", 2).ask(engine);
      var stranger = Requests.of("stranger", shared + "2", 2).tenant("another").ask(engine);
      awaitWaiting(engine, 2);
      gate.openForGood();
      assertThat(sharing.finished().usage().cachedTokens()).isEqualTo(128);
      first.finished();
      stranger.finished();
      assertThat(gate.steps.get(gate.firstStep("sharing"))).containsKey("first");
      assertThat(gate.steps.get(gate.firstStep("stranger"))).doesNotContainKey("first");
      assertThat(engine.status().gauges().get("preemptions_total")).isZero();
    }
  }

  @Test
  void aCacheThatWasLongerBeforeGivesItsRoomUp() throws Exception {
    try (var engine = engine("use-paged-cache", "false")) {
      gate.open.release(100);
      Requests.of("long", "y".repeat(240) + "x".repeat(200), 4).ask(engine).finished();
      while (engine.status().running() > 0) {
        Thread.sleep(5);
      }
      gate.open.drainPermits();
      var brief = Requests.of("brief", "y".repeat(241), 2).ask(engine);
      gate.open.release();
      brief.awaitFirstToken();
      gate.awaitStepAfter(0);
      // 256 tokens for itself, where it found 512.
      assertThat(engine.status().gauges().get("kv_bytes")).isEqualTo(256 * 512);
      gate.openForGood();
      assertThat(brief.finished().usage().cachedTokens()).isEqualTo(240);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void choicesOfOnePromptShareItAndCopyWhatTheyWriteTo(boolean paged) throws Exception {
    try (var engine = engine("use-paged-cache", Boolean.toString(paged));
        var simple = Engines.simple(Optional.of(tiny))) {
      var prompt = "The story so far. ".repeat(5) + "Once.";
      var asked = Requests.of("four", prompt, 30).sampling(Requests.seeded(1, 5));
      assertChoices(engine, simple, asked, 4);
      var computed = gate.steps.stream().mapToInt(step -> step.getOrDefault("four", 0)).sum();
      assertThat(computed).as("the prompt is computed once").isEqualTo(prompt.length() + 4 * 29);
      if (paged) {
        // Three of the four copy the block that the prompt fills in part.
        assertThat(engine.status().gauges().get("kv_block_copies_total")).isEqualTo(3);
      }
      Engines.awaitIdle(engine);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void moreChoicesThanRowsWaitForTheirTurn(boolean paged) throws Exception {
    try (var engine = engine("use-paged-cache", Boolean.toString(paged), "max-num-seqs", "2");
        var simple = Engines.simple(Optional.of(tiny))) {
      var asked = Requests.of("many", "Once upon a time", 20).sampling(Requests.seeded(1, 5));
      assertChoices(engine, simple, asked, 7);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void choicesOfAPromptThatFillsTheMemoryAreAllAnswered(boolean paged) throws Exception {
    try (var engine =
            engine("use-paged-cache", Boolean.toString(paged), "kv-cache-memory", "256KB");
        var simple = Engines.simple(Optional.of(tiny))) {
      var asked = Requests.of("big", "x".repeat(280), 60).sampling(Requests.seeded(1, 5));
      assertChoices(engine, simple, asked, 4);
      var gauges = engine.status().gauges();
      assertThat(gauges.get("kv_bytes")).isLessThanOrEqualTo(gauges.get("kv_bytes_budget"));
    }
  }

  private void assertChoices(Engine engine, Engine simple, Requests asked, int count)
      throws InterruptedException {
    occupy(engine, 1);
    var answers = new ArrayList<Answer>();
    for (var i = 0; i < count; i++) {
      answers.add(asked.choice(i).ask(engine));
    }
    awaitWaiting(engine, count);
    gate.openForGood();
    for (var i = 0; i < count; i++) {
      answers.get(i).finished();
      var alone = asked.choice(i).ask(simple);
      alone.finished();
      assertThat(answers.get(i).tokens()).as("choice %d", i).isEqualTo(alone.tokens());
    }
  }
}
