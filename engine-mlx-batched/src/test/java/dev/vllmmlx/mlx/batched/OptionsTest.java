package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the engine's options do, as its answers and figures show. */
class OptionsTest {
  private static final int BYTES_PER_TOKEN = 512;

  @TempDir static Path folder;
  private static Path tiny;

  @BeforeAll
  static void writeModel() {
    tiny = Engines.tinyModel(folder);
  }

  private static Engine engine(Map<String, String> options) {
    return Engines.batched(Optional.of(tiny), options);
  }

  private static double gauge(Engine engine, String name) {
    return engine.status().gauges().get(name);
  }

  private static int cachedOf(Engine engine, String prompt) throws InterruptedException {
    var cached = Requests.of("request", prompt, 2).ask(engine).finished().usage().cachedTokens();
    Engines.awaitIdle(engine);
    return cached;
  }

  @ParameterizedTest
  @ValueSource(ints = {32, 64})
  void promptsShareBlocksOfTheGivenSize(int size) throws Exception {
    var options =
        Map.of(
            "use-paged-cache", "true",
            "block-size", Integer.toString(size),
            "kv-cache-memory", Integer.toString(640 * BYTES_PER_TOKEN));
    try (var engine = engine(options)) {
      assertThat(gauge(engine, "kv_blocks")).isEqualTo(640.0 / size);
      assertThat(gauge(engine, "kv_bytes_budget")).isEqualTo(640 * BYTES_PER_TOKEN);
      var prompt = "x".repeat(100);
      assertThat(cachedOf(engine, prompt)).isZero();
      // Of the two tokens of its answer the first was computed.
      assertThat(gauge(engine, "kv_blocks_cached")).isEqualTo(Math.ceilDiv(100 + 1, size));
      assertThat(cachedOf(engine, prompt)).isEqualTo(100 - 1);
    }
  }

  @Test
  void tokensOfPromptsAreCountedByWhatBecameOfThem() throws Exception {
    var options =
        Map.of(
            "use-paged-cache", "true", "kv-cache-memory", Integer.toString(256 * BYTES_PER_TOKEN));
    try (var engine = engine(options)) {
      cachedOf(engine, "x".repeat(100)); // 96 that nobody has seen, and the last 4
      cachedOf(engine, "x".repeat(100)); // 99 that are cached
      cachedOf(engine, "y".repeat(240)); // 224, for which those of the first are evicted
      cachedOf(engine, "x".repeat(100)); // 96 that were there once
      assertThat(gauge(engine, "prefix_tokens_unseen_total")).isEqualTo(96 + 224);
      assertThat(gauge(engine, "prefix_tokens_cached_total")).isEqualTo(99);
      assertThat(gauge(engine, "prefix_tokens_evicted_total")).isEqualTo(96);
      assertThat(gauge(engine, "prefix_tokens_last_total")).isEqualTo(4 + 1 + 16 + 4);
      assertThat(gauge(engine, "kv_block_evictions_total")).isPositive();
      assertThat(gauge(engine, "prefix_hit_rate")).isBetween(0.17, 0.19);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "block-size, 48",
    "block-size, 0",
    "kv-cache-memory, 1KB",
    "max-num-seqs, 0",
    "max-batch-tokens, 0",
  })
  void whatCannotBeServedIsNamed(String option, String value) {
    assertThatThrownBy(() -> engine(Map.of("use-paged-cache", "true", option, value)).close())
        .isInstanceOfSatisfying(
            EngineException.InvalidRequest.class,
            refusal -> assertThat(refusal.field()).contains(option));
  }

  @Test
  void aSizeOfBlocksIsRefusedWhereThereAreNone() {
    assertThatThrownBy(() -> engine(Map.of("block-size", "64")).close())
        .isInstanceOf(EngineException.InvalidRequest.class)
        .hasMessageContaining("--use-paged-cache");
  }
}
