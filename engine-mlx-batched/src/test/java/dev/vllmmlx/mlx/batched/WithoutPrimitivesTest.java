package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.mlx.array.CpuPrimitives;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.parity.TinyCheckpoint;
import dev.vllmmlx.mlx.sequence.TinyTokenizer;
import dev.vllmmlx.spi.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/**
 * By MLX's own ops, as on a GPU: the blocks of each row are gathered for MLX's fused attention.
 * MLX's results differ in their last bits with what comes together, so it is the tokens that are
 * compared, in float32, and with answers by this project's primitives.
 */
class WithoutPrimitivesTest {
  @TempDir Path folder;
  @TempDir Path cache;

  /** The setting is the process's. */
  @AfterAll
  static void restore() {
    CpuPrimitives.enable(true);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theAnswersAreThoseOfThePrimitives(boolean paged) throws Exception {
    assertSameAsPrimitives(model(""), paged);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aSlidingWindowSeesWhatItSeesByThePrimitives(boolean paged) throws Exception {
    assertSameAsPrimitives(model("\"sliding_window\": 40, "), paged);
  }

  @Test
  void prefixesOnADiskAreThoseOfThisWayOfComputingAlone() throws Exception {
    var model = model("");
    var disk = Map.of("cache-dir", cache.toString());
    var off = Map.of("cache-dir", cache.toString(), "primitives", "off");
    var request = Requests.of("one", "The story so far. ".repeat(12), 20);
    List<Integer> expected;
    try (var first = batched(model, true, off)) {
      var answer = request.ask(first);
      answer.finished();
      expected = ids(answer);
    }
    try (var second = batched(model, true, off)) {
      var answer = request.ask(second);
      assertThat(answer.finished().usage().cachedTokens()).isEqualTo(192);
      assertThat(ids(answer)).isEqualTo(expected);
      assertThat(second.status().gauges().get("prefix_tokens_loaded_total")).isEqualTo(192);
    }
    try (var primitives = batched(model, true, disk)) {
      assertThat(request.ask(primitives).finished().usage().cachedTokens()).isZero();
    }
  }

  @Test
  void aStepWritesToThePoolAndDoesNotCopyIt() throws Exception {
    FaultyModel.Fault begin =
        new FaultyModel.Fault() {
          private int steps;

          @Override
          public void before(List<Chunk> chunks, Consumer<List<Chunk>> computes) {
            if (++steps == 3) {
              Mlx.resetPeakMemory(); // of whatever this process did before
            }
          }
        };
    var options = Map.of("use-paged-cache", "true", "primitives", "off");
    try (var engine = Engines.faulty(model(""), options, begin)) {
      Requests.of("one", "x".repeat(200), 20).ask(engine).finished();
      Engines.awaitIdle(engine);
      var gauges = engine.status().gauges();
      // A copy of one of the four pools would be a quarter more.
      assertThat(gauges.get("kv_bytes_budget")).isGreaterThan(16 << 20);
      assertThat(gauges.get("mlx_peak_bytes")).isLessThan(gauges.get("kv_bytes_budget") * 1.2);
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void memoryThatIsNotUsedIsNotTaken() throws Exception {
    var options = Map.of("primitives", "off", "kv-cache-memory", "2GB", "max-num-seqs", "8192");
    try (var engine = batched(model(""), true, options)) {
      var before = residentBytes();
      var request = Requests.of("one", "x".repeat(200), 20);
      request.ask(engine).finished();
      Engines.awaitIdle(engine);
      assertThat(engine.status().gauges().get("kv_bytes_budget")).isGreaterThan(1 << 30);
      assertThat(residentBytes() - before).isLessThan(256 << 20);
    }
  }

  private static long residentBytes() throws IOException {
    for (var line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new AssertionError("no resident size");
  }

  private static void assertSameAsPrimitives(Path model, boolean paged) throws Exception {
    List<List<Integer>> expected;
    try (var ours = Engines.simple(Optional.of(model))) {
      expected = answers(ours);
    }
    try (var stock = batched(model, paged, Map.of("primitives", "off", "max-batch-tokens", "50"))) {
      assertThat(answers(stock)).isEqualTo(expected);
      // Once more, from what is cached.
      assertThat(answers(stock)).isEqualTo(expected);
      assertThat(stock.status().gauges().get("prefix_hit_rate")).isPositive();
      Engines.awaitIdle(stock);
    }
  }

  private static Engine batched(Path model, boolean paged, Map<String, String> options) {
    var all = new HashMap<>(options);
    all.put("use-paged-cache", Boolean.toString(paged));
    return Engines.batched(Optional.of(model), all);
  }

  private static List<List<Integer>> answers(Engine engine) throws InterruptedException {
    var asked = new ArrayList<Answer>();
    for (var i = 0; i < 6; i++) {
      asked.add(Requests.of("r" + i, "The story so far. ".repeat(i) + "Once", 20).ask(engine));
    }
    // Choices of one prompt copy the block that they share.
    for (var i = 0; i < 2; i++) {
      asked.add(Requests.of("two", "y".repeat(45), 20).choice(i).ask(engine));
    }
    var all = new ArrayList<List<Integer>>();
    for (var answer : asked) {
      answer.finished();
      all.add(ids(answer));
    }
    return all;
  }

  private static List<Integer> ids(Answer answer) {
    return answer.tokens().stream().map(Answer.Scored::id).toList();
  }

  private Path model(String more) {
    var config =
        """
        {"model_type": "%s", "hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 96,
         "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 260,
         "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "max_position_embeddings": 512, %s
         "tie_word_embeddings": true}
        """
            .formatted(more.isEmpty() ? "llama" : "mistral", more);
    new TinyCheckpoint(JsonMapper.shared().readTree(config), 7, "float32").write(folder);
    TinyTokenizer.write(folder);
    return folder;
  }
}
