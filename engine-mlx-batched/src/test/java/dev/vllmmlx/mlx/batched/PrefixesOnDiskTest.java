package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.mlx.array.CpuPrimitives;
import dev.vllmmlx.mlx.array.MemoryStatus;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Blocks outlive the engine in a folder, and no answer depends on it. */
class PrefixesOnDiskTest {

  /** Some 300 tokens, a byte each. */
  private static final String LONG = "It was a dark and stormy night. ".repeat(10);

  @TempDir static Path models;
  private static Path tiny;

  @TempDir Path cache;

  @BeforeAll
  static void writeModel() throws IOException {
    tiny = Engines.tinyModel(Files.createDirectory(models.resolve("tiny")));
  }

  @Test
  void aPrefixIsCachedAfterARestartAndTheAnswerIsTheSame() throws Exception {
    Answer alone;
    try (var simple = Engines.simple(Optional.of(tiny))) {
      alone = ask(simple, LONG, "");
    }
    try (var first = open(Map.of())) {
      var answer = ask(first, LONG, "");
      assertThat(answer.started().cachedTokens()).isZero();
      assertThat(answer.tokens()).isEqualTo(alone.tokens());
    }
    try (var second = open(Map.of())) {
      var answer = ask(second, LONG, "");
      assertThat(answer.started().cachedTokens()).isGreaterThan(LONG.length() - 64);
      assertThat(answer.tokens()).isEqualTo(alone.tokens());
      assertThat(gauge(second, "prefix_tokens_loaded_total"))
          .isEqualTo(answer.started().cachedTokens());
      assertThat(gauge(second, "kv_disk_blocks_read_total")).isPositive();
      assertThat(gauge(second, "kv_disk_files")).isPositive();

      assertThat(ask(second, LONG, "another").started().cachedTokens()).isZero();
      assertThat(ask(second, LONG, "").started().cachedTokens()).isPositive();
      assertThat(gauge(second, "prefix_tokens_cached_total")).isPositive();
    }
  }

  @Test
  void keysAndValuesInEightBitsAreFoundByThoseInEightBitsAlone() throws Exception {
    var eightBits = Map.of("kv-bits", "8");
    Answer before;
    try (var first = open(eightBits)) {
      before = ask(first, LONG, "");
    }
    try (var sixteen = open(Map.of())) {
      assertThat(ask(sixteen, LONG, "").started().cachedTokens()).isZero();
    }
    try (var second = open(eightBits)) {
      var answer = ask(second, LONG, "");
      assertThat(answer.started().cachedTokens()).isGreaterThan(LONG.length() - 64);
      assertThat(answer.tokens()).isEqualTo(before.tokens());
    }
  }

  @Test
  void anyMixOfRequestsOverASmallPoolAndASmallFolderGetsTheAnswersOfAlone() throws Exception {
    var options =
        Map.of(
            "max-num-seqs", "8",
            "max-batch-tokens", "48",
            "kv-cache-memory", "320KB",
            "cache-dir-size", "500KB");
    try (var simple = Engines.simple(Optional.of(tiny))) {
      var mixes = new Mixes(simple, 300, 60);
      for (var restart = 0; restart < 3; restart++) {
        try (var batched = open(options)) {
          for (var i = 0; i < 6; i++) {
            mixes.run(batched, 20261128 + i, 16);
          }
          assertThat(gauge(batched, "kv_disk_blocks_read_total")).isPositive();
          assertThat(gauge(batched, "kv_disk_files_refused_total")).isZero();
        }
        assertThat(bytes()).isLessThan(550_000);
      }
    }
  }

  @Test
  void enginesShareAFolderAtTheSameTime() throws Exception {
    var options = Map.of("kv-cache-memory", "320KB", "cache-dir-size", "500KB");
    try (var simple = Engines.simple(Optional.of(tiny));
        var one = open(options);
        var other = open(options)) {
      var mixes = new Mixes(simple, 300, 40);
      var failure = new CompletableFuture<Void>();
      var beside =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      for (var i = 0; i < 40; i++) {
                        ask(one, LONG + "The story so far. ".repeat(i % 9), "");
                      }
                      failure.complete(null);
                    } catch (Throwable t) {
                      failure.completeExceptionally(t);
                    }
                  });
      for (var i = 0; i < 3; i++) {
        mixes.run(other, 7 + i, 16);
      }
      beside.join();
      failure.get();
      assertThat(gauge(one, "kv_disk_files_refused_total")).isZero();
      assertThat(gauge(other, "kv_disk_files_refused_total")).isZero();
    }
  }

  @Test
  void damagedFilesAreNotUsed() throws Exception {
    Answer before;
    try (var first = open(Map.of())) {
      before = ask(first, LONG, "");
    }
    for (var file : files()) {
      var bytes = Files.readAllBytes(file);
      bytes[bytes.length / 2] ^= 1;
      Files.write(file, bytes);
    }
    try (var second = open(Map.of())) {
      var answer = ask(second, LONG, "");
      assertThat(answer.started().cachedTokens()).isZero();
      assertThat(answer.tokens()).isEqualTo(before.tokens());
      assertThat(gauge(second, "kv_disk_files_refused_total")).isOne();
    }
  }

  @Test
  void anotherModelOrTypeFindsNothing() throws Exception {
    try (var first = open(Map.of())) {
      ask(first, LONG, "");
    }
    try (var otherType = open(Map.of("dtype", "float16"))) {
      assertThat(ask(otherType, LONG, "").started().cachedTokens()).isZero();
    }
    CpuPrimitives.chooseKernels("portable");
    try (var otherKernels = open(Map.of())) {
      assertThat(ask(otherKernels, LONG, "").started().cachedTokens()).isZero();
    } finally {
      CpuPrimitives.chooseKernels("auto");
    }
    try (var otherBlocks = open(Map.of("block-size", "64"))) {
      assertThat(ask(otherBlocks, LONG, "").started().cachedTokens()).isZero();
    }
    var changed = Engines.tinyModel(Files.createDirectory(models.resolve("changed")));
    changeWeights(changed.resolve("model.safetensors"));
    var options = new HashMap<>(Map.of("cache-dir", cache.toString()));
    try (var otherWeights = Engines.batched(Optional.of(changed), options)) {
      assertThat(ask(otherWeights, LONG, "").started().cachedTokens()).isZero();
      assertThat(gauge(otherWeights, "kv_disk_files_refused_total")).isZero();
    }
    var moved = Files.move(changed, models.resolve("moved"));
    try (var sameWeights = Engines.batched(Optional.of(moved), options)) {
      assertThat(ask(sameWeights, LONG, "").started().cachedTokens()).isPositive();
    }
  }

  @Test
  void optionsThatCannotBeServedAreNamed() throws IOException {
    assertRefused("cache-dir-size", Map.of("cache-dir-size", "1GB"));
    assertRefused("cache-dir-size", Map.of("cache-dir", cache.toString(), "cache-dir-size", "1KB"));
    var file = Files.createFile(cache.resolve("file"));
    assertRefused("cache-dir", Map.of("cache-dir", file.toString()));
  }

  private static void assertRefused(String option, Map<String, String> options) {
    assertThatThrownBy(() -> Engines.batched(Optional.of(tiny), options).close())
        .isInstanceOfSatisfying(
            EngineException.InvalidRequest.class,
            refusal -> assertThat(refusal.field()).contains(option));
  }

  /** The last byte, which is of a weight. */
  private static void changeWeights(Path file) throws IOException {
    var bytes = Files.readAllBytes(file);
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
  }

  private Engine open(Map<String, String> options) {
    var all = new HashMap<>(options);
    all.put("cache-dir", cache.toString());
    return Engines.batched(Optional.of(tiny), all);
  }

  private static Answer ask(Engine engine, String prompt, String tenant)
      throws InterruptedException {
    var answer = new Answer();
    engine.generate(
        new GenerationRequest(
            "request",
            0,
            new Prompt.Text(prompt, false),
            Sampling.greedy(),
            new StopConditions(12, 12, List.of(), Set.of(), true),
            new Constraint.None(),
            OptionalInt.of(1),
            Optional.empty(),
            0,
            tenant),
        answer);
    answer.finished();
    return answer;
  }

  /** As it is published once the engine has nothing to do. */
  private static double gauge(Engine engine, String name) throws InterruptedException {
    Thread.sleep(700);
    return engine.status().gauges().get(name);
  }

  private List<Path> files() throws IOException {
    try (var files = Files.list(cache)) {
      return files.filter(file -> file.toString().endsWith(".kv")).toList();
    }
  }

  private long bytes() throws IOException {
    var sum = 0L;
    for (var file : files()) {
      sum += Files.size(file);
    }
    return sum;
  }

  @AfterAll
  static void nothingIsLeft() {
    assertThat(MemoryStatus.now().liveHandles()).isZero();
  }
}
