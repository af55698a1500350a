package dev.vllmmlx.mlx.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.hub.CheckpointSource;
import dev.vllmmlx.hub.HubSettings;
import dev.vllmmlx.hub.ModelReference;
import dev.vllmmlx.hub.Progress;
import dev.vllmmlx.mlx.array.Device;
import dev.vllmmlx.mlx.array.MlxThread;
import dev.vllmmlx.mlx.load.ComputeType;
import dev.vllmmlx.mlx.load.LoadedModel;
import dev.vllmmlx.mlx.load.ModelLoader;
import dev.vllmmlx.mlx.load.RequantizedCopy;
import dev.vllmmlx.mlx.model.ModelFamilies;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The CPU primitives predict a text as well as float32 does on the very same weights: 4-bit (the
 * GGUF as it is), 8-bit and bfloat16 made of it.
 *
 * <p>The text, {@code perplexity.txt}, is the opening of Jane Austen's Pride and Prejudice (1813)
 * and that of Lewis Carroll's Alice's Adventures in Wonderland (1865), both in the public domain.
 * The reference, {@code perplexity.json}, is mlx-lm over each form's weights unpacked to float32,
 * made by {@code smollm2.py}: it is kept because MLX's own ops take minutes for it.
 */
class PerplexityTest {

  /** What a form may gain or lose, percent. */
  private static final double TOLERANCE = 0.5;

  /**
   * How far tokens may be off on average, nats: a perplexity alone would not see errors that cancel
   * out. Rounding the weights to bfloat16 moves them by 0.008, quantizing to 8 bits by 0.056.
   */
  private static final double DRIFT = 0.005;

  /** The same with keys and values in 8 bits: half of what 8 bits for the weights do. */
  private static final double EIGHT_BIT_KV_DRIFT = 0.04;

  private static final int CHUNK = 128;

  private static MlxThread mlx;
  private static Path gguf;
  private static int[] ids;
  private static JsonNode references;

  @BeforeAll
  static void start() throws IOException {
    var source = new CheckpointSource(HubSettings.fromEnvironment(System.getenv()));
    gguf = source.resolve(new ModelReference.EmbeddedDefault(), Progress.NONE).path();
    try (var in = PerplexityTest.class.getResourceAsStream("/perplexity.json")) {
      var kept = JsonMapper.shared().readTree(in);
      ids = kept.get("ids").values().stream().mapToInt(JsonNode::asInt).toArray();
      references = kept.get("costs");
    }
    mlx = MlxThread.start("perplexity", Device.CPU);
  }

  @AfterAll
  static void stop() {
    mlx.close();
  }

  @Test
  void fourBits() {
    predictsAsFloat32Does(new Checkpoint.Gguf("smollm2", gguf), "4bit");
  }

  @Test
  void eightBits(@TempDir Path folder) {
    mlx.call(
        () -> {
          RequantizedCopy.eightBits(gguf, folder);
          return null;
        });
    predictsAsFloat32Does(new Checkpoint.Folder("smollm2", folder), "8bit");
  }

  @Test
  void bfloat16(@TempDir Path folder) {
    mlx.call(
        () -> {
          RequantizedCopy.bfloat16(gguf, folder);
          return null;
        });
    predictsAsFloat32Does(new Checkpoint.Folder("smollm2", folder), "bfloat16");
  }

  /** A KV cache in 8 bits rounds more than the computation does. */
  @Test
  void keysAndValuesInEightBits() {
    var checkpoint = new Checkpoint.Gguf("smollm2", gguf);
    predicts(checkpoint, "4bit", model -> model.withKvBits(8), EIGHT_BIT_KV_DRIFT);
  }

  @Test
  void keysAndValuesInHalfPrecision() {
    predicts(new Checkpoint.Gguf("smollm2", gguf), "4bit", model -> model.withKvBits(16), DRIFT);
  }

  private static void predictsAsFloat32Does(Checkpoint checkpoint, String form) {
    predicts(checkpoint, form, UnaryOperator.identity(), DRIFT);
  }

  private static void predicts(
      Checkpoint checkpoint, String form, UnaryOperator<LoadedModel> kept, double drifts) {
    var reference =
        references.get(form).values().stream().mapToDouble(JsonNode::asDouble).toArray();
    var costs = costs(checkpoint, kept);
    assertThat(costs).hasSameSizeAs(reference);
    var drift =
        IntStream.range(0, costs.length)
            .mapToDouble(i -> Math.abs(costs[i] - reference[i]))
            .average()
            .orElseThrow();
    System.out.printf(
        "%s: perplexity %.4f, in float32 %.4f; a token is %.5f nats off%n",
        form, perplexity(costs), perplexity(reference), drift);
    assertThat(perplexity(costs)).isCloseTo(perplexity(reference), withinPercentage(TOLERANCE));
    assertThat(drift).isLessThan(drifts);
  }

  /** What each token costs after all those before it, in nats. */
  private static double[] costs(Checkpoint checkpoint, UnaryOperator<LoadedModel> kept) {
    return mlx.call(
        () -> {
          var loader = new ModelLoader(ModelFamilies.standard(), Device.CPU);
          var loaded = kept.apply(loader.load(checkpoint, ComputeType.AUTO));
          var costs = new double[ids.length - 1];
          try (var _ = loaded.weights();
              var sequence = new Greedy(loaded.model(), loaded.kvLayers())) {
            for (var start = 0; start < costs.length; start += CHUNK) {
              var end = Math.min(start + CHUNK, costs.length);
              var rows =
                  sequence.prefill(
                      IntStream.range(start, end).map(i -> ids[i]).toArray(), CHUNK, CHUNK);
              for (var i = start; i < end; i++) {
                costs[i] = cost(rows[i - start], ids[i + 1]);
              }
            }
          }
          return costs;
        });
  }

  private static double cost(float[] logits, int token) {
    var highest = logits[Greedy.argMax(logits)];
    var sum = 0.0;
    for (var logit : logits) {
      sum += Math.exp(logit - highest);
    }
    return Math.log(sum) + highest - logits[token];
  }

  private static double perplexity(double[] costs) {
    return Math.exp(Arrays.stream(costs).average().orElseThrow());
  }
}
