package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code --kv-bits}: a row's bytes depend on itself alone, so answers are still those alone. */
class KvBitsTest {
  private static final long SEED = Long.getLong("mix.seed", 20261128);

  private static final Map<String, String> MEMORY =
      Map.of("use-paged-cache", "true", "kv-cache-memory", "320KB");

  @TempDir static Path folder;
  private static Path tiny;

  @BeforeAll
  static void writeModel() {
    tiny = Engines.tinyModel(folder);
  }

  @ParameterizedTest
  @CsvSource({"8, true, 100KB", "8, false, 100KB", "16, true, 160KB"})
  void givesTheSameAnswersAsAlone(int bits, boolean paged, String memory) throws Exception {
    // 160 or 256 bytes a token: room for 640 tokens, which three or four sequences fill.
    var options = Map.of("max-num-seqs", "16", "max-batch-tokens", "48", "kv-cache-memory", memory);
    try (var simple = Engines.simple(Optional.of(tiny), Map.of("kv-bits", Integer.toString(bits)));
        var batched = batched(bits, paged, options)) {
      var mixes = new Mixes(simple, 400, 120);
      for (var i = 0; i < 8; i++) {
        mixes.run(batched, SEED + i, 20);
      }
      if (paged) {
        assertThat(batched.status().gauges().get("preemptions_total")).isPositive();
      }
      assertThat(batched.status().gauges().get("prefix_hit_rate")).isPositive();
      Engines.awaitIdle(batched);
    }
  }

  @Test
  void holdsMoreTokensInTheSameMemory() {
    // Two layers, a key and a value, two heads of 16 numbers in float32, float16, or bytes with a
    // scale.
    try (var engine = Engines.batched(Optional.of(tiny), MEMORY)) {
      assertThat(blocks(engine)).isEqualTo((320 << 10) / 32 / (2 * 2 * 2 * 16 * 4));
    }
    assertThat(blocks(16)).isEqualTo((320 << 10) / 32 / (2 * 2 * 2 * 16 * 2));
    assertThat(blocks(8)).isEqualTo((320 << 10) / 32 / (2 * 2 * 2 * (16 + 4)));
  }

  private static double blocks(int bits) {
    try (var engine = batched(bits, true, MEMORY)) {
      return blocks(engine);
    }
  }

  private static double blocks(Engine engine) {
    return engine.status().gauges().get("kv_blocks");
  }

  @Test
  void refusesOtherNumbersOfBits() {
    for (var bits : new int[] {-8, 0, 4, 32}) {
      assertThatThrownBy(() -> batched(bits, true, Map.of()))
          .isInstanceOf(EngineException.InvalidRequest.class)
          .hasMessage("--kv-bits must be 8 or 16, and is " + bits);
    }
  }

  private static Engine batched(int bits, boolean paged, Map<String, String> options) {
    var all = new HashMap<>(options);
    all.put("kv-bits", Integer.toString(bits));
    all.put("use-paged-cache", Boolean.toString(paged));
    return Engines.batched(Optional.of(tiny), all);
  }
}
