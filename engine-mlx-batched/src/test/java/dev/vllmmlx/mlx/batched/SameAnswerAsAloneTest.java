package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.spi.Engine;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A request gets the same answer, to the last bit of its likelihoods, alone in the simple engine
 * and among others in the batched one, whatever arrives, leaves, is cancelled or loses its memory
 * meanwhile, and whatever is cached. A failure names its seed; another: {@code -Dmix.seed=N}. Every
 * mix is some 20 requests; the profile {@code mixes} lets many more run.
 */
class SameAnswerAsAloneTest {
  private static final long SEED = Long.getLong("mix.seed", 20261124);
  private static final int TINY_MIXES = Integer.getInteger("mix.tiny", 8);
  private static final int SMOLLM2_MIXES = Integer.getInteger("mix.smollm2", 1);

  @TempDir static Path folder;
  private static Path tiny;

  @BeforeAll
  static void writeModel() {
    tiny = Engines.tinyModel(folder);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void onATinyModelWithRoom(boolean paged) throws Exception {
    try (var simple = Engines.simple(Optional.of(tiny));
        var batched = batched(paged, Map.of("max-num-seqs", "12", "max-batch-tokens", "64"))) {
      var mixes = new Mixes(simple, 200, 40);
      for (var i = 0; i < TINY_MIXES; i++) {
        mixes.run(batched, SEED + i, 20);
      }
      assertIdle(batched);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void onATinyModelThatRunsOutOfMemoryAllTheTime(boolean paged) throws Exception {
    // 512 bytes a token: room for 640 tokens, which three or four sequences fill.
    var options =
        Map.of("max-num-seqs", "16", "max-batch-tokens", "48", "kv-cache-memory", "320KB");
    try (var simple = Engines.simple(Optional.of(tiny));
        var batched = batched(paged, options)) {
      var mixes = new Mixes(simple, 400, 120);
      for (var i = 0; i < TINY_MIXES; i++) {
        mixes.run(batched, SEED - i, 20);
      }
      if (paged) {
        // Contiguous caches hold admission back instead: they know what they will need.
        assertThat(batched.status().gauges().get("preemptions_total")).isPositive();
      }
      assertIdle(batched);
    }
  }

  @Test
  void onSmolLm2() throws Exception {
    try (var simple = Engines.simple(Optional.empty());
        var batched = batched(Optional.empty(), true, Map.of("kv-cache-memory", "40MB"))) {
      var mixes = new Mixes(simple, 200, 30);
      for (var i = 0; i < SMOLLM2_MIXES; i++) {
        mixes.run(batched, SEED + 1000 + i, 12);
      }
      assertIdle(batched);
    }
  }

  private static Engine batched(boolean paged, Map<String, String> options) {
    return batched(Optional.of(tiny), paged, options);
  }

  private static Engine batched(Optional<Path> model, boolean paged, Map<String, String> options) {
    var all = new java.util.HashMap<>(options);
    all.put("use-paged-cache", Boolean.toString(paged));
    return Engines.batched(model, all);
  }

  /** Nothing is held for anybody. */
  private static void assertIdle(Engine engine) throws InterruptedException {
    Engines.awaitIdle(engine);
    var status = engine.status();
    assertThat(status.running()).isZero();
    assertThat(status.waiting()).isZero();
    assertThat(status.gauges().getOrDefault("kv_blocks_used", 0.0)).isZero();
  }

  @AfterAll
  static void nothingIsLeft() {
    assertThat(dev.vllmmlx.mlx.array.MemoryStatus.now().liveHandles()).isZero();
  }
}
