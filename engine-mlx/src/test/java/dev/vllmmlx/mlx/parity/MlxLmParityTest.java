package dev.vllmmlx.mlx.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vllmmlx.mlx.array.CpuPrimitives;
import dev.vllmmlx.mlx.array.Device;
import dev.vllmmlx.mlx.array.MemoryStatus;
import dev.vllmmlx.mlx.array.MlxThread;
import dev.vllmmlx.mlx.load.ComputeType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What mlx-lm answers, we answer: logits within a tolerance, greedy tokens but for ties. */
class MlxLmParityTest {

  /** Most that a logit may be off: float32 differs in the order of sums alone. */
  private static final float FLOAT32_TOLERANCE = 1e-4f;

  /** A few last places of the type, at logits of about 4, after some roundings on the way. */
  private static final float FLOAT16_TOLERANCE = 0.02f;

  private static final float BFLOAT16_TOLERANCE = 0.12f;

  /** Our primitives add up in float32 where MLX does in a half type, which sets them apart. */
  private static final float MORE_EXACT = 3;

  private static MlxThread mlx;

  @TempDir Path folder;

  @BeforeAll
  static void start() {
    mlx = MlxThread.start("parity", Device.CPU);
  }

  @AfterAll
  static void stop() {
    mlx.close();
    assertThat(MemoryStatus.now().liveHandles()).isZero();
  }

  static List<ParityCase> cases() {
    return ParityCase.all();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void answersAsMlxLmDoes(ParityCase parity) {
    assertAnswers(parity, MORE_EXACT);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void answersAlikeByMlxsOwnOps(ParityCase parity) {
    CpuPrimitives.enable(false);
    try {
      assertAnswers(parity, 1);
    } finally {
      CpuPrimitives.enable(true);
    }
  }

  private void assertAnswers(ParityCase parity, float halfTypes) {
    parity.checkpoint().write(folder);
    with(
        parity,
        sequence -> {
          var rows = sequence.prefill(parity.prompt(), 512, 2);
          assertClose(rows, parity, halfTypes);
          if (parity.computed() == ComputeType.FLOAT32) {
            sequence.follow(rows[1], parity.greedy());
          }
        });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama-llama3-rope",
        "qwen3-yarn-rope",
        "llama-some-layers-slide",
        "mistral-all-layers-slide",
        "qwen2-4bit-float16-as-float32"
      })
  void answersAlikeHoweverThePromptIsChunked(String name) {
    var parity = ParityCase.of(name);
    parity.checkpoint().write(folder);
    for (var chunk : new int[] {1, 2, 7, 16, 33}) {
      with(
          parity,
          sequence -> {
            var rows = sequence.prefill(parity.prompt(), chunk, 1);
            assertClose(rows, parity);
            sequence.follow(rows[0], parity.greedy());
          });
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-float32", "mistral-all-layers-slide", "llama-llama3-rope"})
  void goesOnRightlyAfterATrim(String name) {
    var parity = ParityCase.of(name);
    parity.checkpoint().write(folder);
    with(
        parity,
        sequence -> {
          var kept = parity.prompt().length - 5;
          var wrong = Arrays.copyOf(parity.prompt(), parity.prompt().length + 300);
          Arrays.fill(wrong, kept, wrong.length, 3);
          sequence.prefill(wrong, 512, 1);
          sequence.cache().rewind(sequence.cache().length() - wrong.length + kept);
          assertThat(sequence.cache().length()).isEqualTo(kept);
          var rest = Arrays.copyOfRange(parity.prompt(), kept, parity.prompt().length);
          var rows = sequence.prefill(rest, 512, 2);
          assertClose(rows, parity);
          sequence.follow(rows[1], parity.greedy());
        });
  }

  @Test
  void readsShardsByTheirIndex() {
    var parity = ParityCase.of("qwen3-overrides");
    parity.checkpoint().writeSharded(folder);
    with(parity, sequence -> assertClose(sequence.prefill(parity.prompt(), 512, 2), parity));
  }

  private void with(ParityCase parity, Consumer<Greedy> body) {
    mlx.call(
        () -> {
          var model = parity.load(folder);
          try (var _ = model.weights();
              var sequence = new Greedy(model.model())) {
            body.accept(sequence);
          }
          return null;
        });
  }

  private static void assertClose(float[][] rows, ParityCase parity) {
    assertClose(rows, parity, MORE_EXACT);
  }

  private static void assertClose(float[][] rows, ParityCase parity, float halfTypes) {
    var tolerance =
        switch (parity.computed()) {
          case FLOAT16 -> FLOAT16_TOLERANCE * halfTypes;
          case BFLOAT16 -> BFLOAT16_TOLERANCE * halfTypes;
          default -> FLOAT32_TOLERANCE;
        };
    var expected = parity.lastLogits();
    for (var row = 0; row < rows.length; row++) {
      var reference = expected.get(expected.size() - rows.length + row);
      assertThat(rows[row]).hasSameSizeAs(reference);
      for (var i = 0; i < reference.length; i++) {
        assertThat(rows[row][i])
            .as("logit %d, row %d from the end", i, rows.length - row)
            .isCloseTo(reference[i], within(tolerance));
      }
    }
  }
}
