package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.MlxException;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.EngineStatus;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.StopConditions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What goes wrong ends what it belongs to and nothing else. The model is the real one, with faults
 * put in between it and the engine.
 */
class FaultsTest {
  @TempDir static Path folder;
  private static Path tiny;

  @BeforeAll
  static void writeModel() {
    tiny = Engines.tinyModel(folder);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aRowWithBrokenScoresEndsAlone(boolean paged) throws Exception {
    FaultyModel.Fault fault =
        new FaultyModel.Fault() {
          @Override
          public void scored(Row row, float[] logits) {
            if (isBad(row) && row.sequence().length() > row.sequence().promptLength() + 3) {
              logits[7] = Float.NaN;
            }
          }
        };
    try (var engine = Engines.faulty(tiny, options(paged), fault)) {
      var bad = Requests.of("bad", "Once upon a time", 30).ask(engine);
      assertOthersAreRight(engine);
      assertThat(bad.awaitEnd().failed().error())
          .isInstanceOf(EngineException.Internal.class)
          .hasMessageContaining("score of token 7 is not a number");
      assertThat(bad.tokens()).hasSize(4);
      assertIdle(engine);
    }
  }

  @Test
  void aRowThatItsGrammarLeavesNoTokenEndsAlone() throws Exception {
    try (var engine = Engines.batched(Optional.of(tiny), options(true))) {
      // After three tokens it must be a "d", which would end it and may not before the tenth.
      var end = engine.tokenize(new Prompt.Text("d", false))[0];
      var bad =
          Requests.of("bad", "Once upon a time", 30)
              .constraint(new Constraint.Regex("[ab][ab][ab]d"))
              .stop(new StopConditions(30, 10, List.of(), Set.of(end), true))
              .ask(engine);
      assertOthersAreRight(engine);
      assertThat(bad.awaitEnd().failed().error())
          .isInstanceOf(EngineException.Internal.class)
          .hasMessageContaining("no token is left that could follow");
      assertThat(bad.text()).matches("[ab]{3}");
      assertIdle(engine);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aNativeExceptionEndsTheRowsOfItsStepAndTheEngineGoesOn(boolean paged) throws Exception {
    var struck = new ArrayList<String>();
    FaultyModel.Fault fault =
        new FaultyModel.Fault() {
          @Override
          public void before(List<Chunk> chunks, Consumer<List<Chunk>> computes) {
            var hit = chunks.stream().filter(chunk -> isBad(chunk.row())).findFirst();
            if (hit.isPresent() && hit.get().row().answered()) {
              chunks.forEach(chunk -> struck.add(id(chunk.row())));
              // Half of the step has written to the cache when MLX refuses an operation.
              computes.accept(List.of(hit.get()));
              try (var _ = Mlx.scope()) {
                Mlx.add(Mlx.array(new int[2], 2), Mlx.array(new int[3], 3)).view();
              }
            }
          }
        };
    try (var engine = Engines.faulty(tiny, options(paged), fault)) {
      var answers = new ArrayList<Answer>();
      for (var i = 0; i < 3; i++) {
        answers.add(Requests.of("with-" + i, "The story so far. " + i, 300).ask(engine));
      }
      for (var answer : answers) {
        answer.awaitFirstToken();
      }
      var bad = Requests.of("bad", "The story so far. The story", 300).ask(engine);
      assertThat(bad.awaitEnd().failed().error())
          .isInstanceOf(EngineException.Internal.class)
          .hasCauseInstanceOf(MlxException.class);
      for (var i = 0; i < 3; i++) {
        assertThat(struck).contains("with-" + i);
        assertThat(answers.get(i).awaitEnd().failed().error())
            .isInstanceOf(EngineException.Internal.class);
      }
      assertOthersAreRight(engine);
      assertIdle(engine);
      assertThat(engine.status().state()).isEqualTo(EngineStatus.State.READY);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whoHadNoPartInAFailedStepGetsItsAnswerAllTheSame(boolean paged) throws Exception {
    var underWay = new Semaphore(0);
    var othersAsked = new Semaphore(0);
    FaultyModel.Fault fault =
        new FaultyModel.Fault() {
          private int steps;

          @Override
          public void before(List<Chunk> chunks, Consumer<List<Chunk>> computes) {
            if (has(chunks, "bad") && has(chunks, "beside")) {
              switch (++steps) {
                case 1 -> underWay.release();
                case 2 -> othersAsked.acquireUninterruptibly();
                // Meanwhile the others were taken up, and wait until its prompt is computed.
                case 6 -> throw new MlxException("out of memory, as MLX says it");
                default -> {}
              }
            }
          }
        };
    var options = new HashMap<>(options(paged));
    options.put("max-batch-tokens", "32");
    try (var engine = Engines.faulty(tiny, options, fault)) {
      var bad = Requests.of("bad", "Once upon a time", 300).ask(engine);
      bad.awaitFirstToken();
      // Prompts of one tenant are computed one after the other, and this one takes many steps.
      var beside = Requests.of("beside", "x".repeat(400), 5).ask(engine);
      underWay.acquire();
      var others = Others.ask(engine);
      othersAsked.release();
      for (var failed : List.of(bad, beside)) {
        assertThat(failed.awaitEnd().failed().error()).hasCauseInstanceOf(MlxException.class);
      }
      others.assertRight();
      assertIdle(engine);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aRowThatGetsNoMemoryEndsAlone(boolean paged) throws Exception {
    FaultyModel.Fault fault =
        new FaultyModel.Fault() {
          @Override
          public void opening(int[] tokens) {
            if (tokens.length == 100) {
              throw new MlxException("a cache could not be copied");
            }
          }
        };
    try (var engine = Engines.faulty(tiny, options(paged), fault)) {
      var bad = Requests.of("bad", "x".repeat(100), 30).ask(engine);
      assertOthersAreRight(engine);
      assertThat(bad.awaitEnd().failed().error()).hasCauseInstanceOf(MlxException.class);
      assertIdle(engine);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFaultBetweenTwoStepsEndsWhatHasMemoryAndTheEngineGoesOn(boolean paged) throws Exception {
    var strikes = new AtomicInteger();
    FaultyModel.Fault fault =
        new FaultyModel.Fault() {
          @Override
          public void boundary() {
            if (strikes.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
              throw new MlxException("a block could not be copied");
            }
          }
        };
    try (var engine = Engines.faulty(tiny, options(paged), fault)) {
      var bad = Requests.of("bad", "Once upon a time", 400).ask(engine);
      bad.awaitFirstToken();
      strikes.set(2); // one of them where nothing has memory any more
      assertThat(bad.awaitEnd().failed().error())
          .isInstanceOf(EngineException.Internal.class)
          .hasCauseInstanceOf(MlxException.class);
      while (strikes.get() > 0) {
        Thread.sleep(5);
      }
      assertOthersAreRight(engine);
      assertIdle(engine);
      assertThat(engine.status().state()).isEqualTo(EngineStatus.State.READY);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anErrorEndsWhatItHappenedToAndTheEngineGoesOn(boolean paged) throws Exception {
    var strikes = new AtomicInteger();
    FaultyModel.Fault fault =
        new FaultyModel.Fault() {
          @Override
          public void before(List<Chunk> chunks, Consumer<List<Chunk>> computes) {
            if (has(chunks, "in-a-step")) {
              throw new StackOverflowError("in the depths of a step");
            }
          }

          @Override
          public void opening(int[] tokens) {
            if (tokens.length == 100) {
              throw new OutOfMemoryError("of a sequence");
            }
          }

          @Override
          public void boundary() {
            if (strikes.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
              throw new OutOfMemoryError("between two steps");
            }
          }
        };
    try (var engine = Engines.faulty(tiny, options(paged), fault)) {
      var bad = new ArrayList<Answer>();
      bad.add(Requests.of("in-a-step", "Once", 5).ask(engine).awaitEnd());
      bad.add(Requests.of("of-a-sequence", "x".repeat(100), 5).ask(engine).awaitEnd());
      bad.add(Requests.of("between-steps", "Once", 400).ask(engine).awaitFirstToken());
      strikes.set(1);
      for (var answer : bad) {
        assertThat(answer.awaitEnd().failed().error())
            .isInstanceOf(EngineException.Internal.class)
            .hasCauseInstanceOf(VirtualMachineError.class);
      }
      assertOthersAreRight(engine);
      assertIdle(engine);
      assertThat(engine.status().state()).isEqualTo(EngineStatus.State.READY);
    }
  }

  @Test
  void anEndOfTheThreadIsToldToEverybody() throws Exception {
    var allAsked = new Semaphore(0);
    FaultyModel.Fault fault =
        new FaultyModel.Fault() {
          private int steps;

          @Override
          public void before(List<Chunk> chunks, Consumer<List<Chunk>> computes) {
            if (++steps == 20) {
              // None has come to its end, two are at work and three wait.
              allAsked.acquireUninterruptibly();
              throw new MlxException("no memory for a step");
            }
          }

          @Override
          public void resetting() {
            throw new MlxException("no memory for keys and values");
          }
        };
    var options = Map.of("use-paged-cache", "true", "max-num-seqs", "2");
    try (var engine = Engines.faulty(tiny, options, fault)) {
      var answers = new ArrayList<Answer>();
      for (var i = 0; i < 5; i++) {
        answers.add(Requests.of("request-" + i, "Once upon a time", 400).ask(engine));
      }
      allAsked.release();
      var waited = 0;
      for (var answer : answers) {
        var error = answer.awaitEnd().failed().error();
        if (error instanceof EngineException.Unavailable) {
          waited++;
          assertThat(error).hasMessageContaining("no memory for keys and values");
        } else {
          assertThat(error).hasRootCauseMessage("no memory for a step");
        }
      }
      assertThat(waited).as("who was not in the step").isEqualTo(3);
      var status = engine.status();
      assertThat(status.state()).isEqualTo(EngineStatus.State.FAILED);
      assertThat(status.reason()).contains("no memory for keys and values");
      assertThat(status.running()).isZero();
      assertThat(status.waiting()).isZero();
      var late = Requests.of("late", "Once", 3).ask(engine);
      assertThatThrownBy(
              () -> {
                throw late.awaitEnd().failed().error();
              })
          .isInstanceOf(EngineException.Unavailable.class)
          .hasMessageContaining("no memory for keys and values");
    }
  }

  /** Requests beside and after the fault get what the simple engine gives them. */
  private static void assertOthersAreRight(Engine engine) throws Exception {
    Others.ask(engine).assertRight();
  }

  private record Others(List<Requests> requests, List<Answer> answers) {
    static Others ask(Engine engine) {
      var requests = new ArrayList<Requests>();
      for (var i = 0; i < 6; i++) {
        var request = Requests.of("good-" + i, "The story so far. ".repeat(i) + "Once", 25);
        requests.add(i % 2 == 0 ? request : request.sampling(Requests.seeded(1, i)));
      }
      return new Others(requests, requests.stream().map(each -> each.ask(engine)).toList());
    }

    void assertRight() throws Exception {
      try (var simple = Engines.simple(Optional.of(tiny))) {
        for (var i = 0; i < requests.size(); i++) {
          var alone = requests.get(i).ask(simple);
          alone.finished();
          answers.get(i).finished();
          assertThat(answers.get(i).tokens()).isEqualTo(alone.tokens());
        }
      }
    }
  }

  private static void assertIdle(Engine engine) throws InterruptedException {
    Engines.awaitIdle(engine);
    assertThat(engine.status().gauges().getOrDefault("kv_blocks_used", 0.0)).isZero();
  }

  private static boolean isBad(Row row) {
    return id(row).equals("bad");
  }

  private static boolean has(List<Chunk> chunks, String id) {
    return chunks.stream().anyMatch(chunk -> id(chunk.row()).equals(id));
  }

  private static String id(Row row) {
    return row.job().request().id();
  }

  private static Map<String, String> options(boolean paged) {
    return Map.of("use-paged-cache", Boolean.toString(paged), "max-num-seqs", "8");
  }
}
