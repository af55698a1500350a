package dev.vllmmlx.mlx.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.mlx.array.Device;
import dev.vllmmlx.mlx.array.MemoryStatus;
import dev.vllmmlx.mlx.array.MlxThread;
import dev.vllmmlx.mlx.load.ComputeType;
import dev.vllmmlx.mlx.load.ModelLoader;
import dev.vllmmlx.mlx.model.ModelFamilies;
import dev.vllmmlx.mlx.model.ModelFormatException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A GGUF file answers as the checkpoint does that it was made of, and so as mlx-lm does. */
class GgufParityTest {

  private static final float TOLERANCE = 1e-4f;

  /** Where scales are float16, activations may have 16 bits; those of float16 itself have 11. */
  private static final float HALF_TOLERANCE = 5e-4f;

  private static final int Q4_K = 12;

  private static MlxThread mlx;

  @TempDir Path folder;

  @BeforeAll
  static void start() {
    mlx = MlxThread.start("gguf", Device.CPU);
  }

  @AfterAll
  static void stop() {
    mlx.close();
    assertThat(MemoryStatus.now().liveHandles()).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama-float32",
        "llama-biases",
        "llama-head-dim",
        "llama-one-kv-head",
        "qwen2-float32",
        "qwen3-float32"
      })
  void answersAsTheCheckpointDoes(String name) {
    var parity = ParityCase.of(name);
    assertAnswers(gguf(parity), parity);
  }

  /** mlx-lm's answers to these weights with float32 scales are kept; Q4_1 has them in float16. */
  @Test
  void keepsPackedWeightsPacked() {
    var parity = ParityCase.of("llama-4bit-group32");
    var half = new TinyCheckpoint(parity.config(), parity.seed(), "float16");
    assertAnswers(new TinyGguf(half, parity.config()), parity, HALF_TOLERANCE);
  }

  @Test
  void scalesPositionsByTheFactorsInTheFile() {
    var parity = ParityCase.of("llama-llama3-rope");
    assertAnswers(gguf(parity).withTensor("rope_freqs.weight", llama3Factors(parity)), parity);
  }

  @Test
  void readsLinearScaling() {
    var parity = ParityCase.of("llama-linear-rope");
    var gguf = gguf(parity);
    gguf.with("llama.rope.scaling.type", "linear").with("llama.rope.scaling.factor", 2.5f);
    assertAnswers(gguf, parity);
  }

  @Test
  void namesTheTypesThatAreNotRead() {
    var gguf = gguf(ParityCase.of("llama-float32"));
    assertRefused(gguf.mislabeled("blk.0.attn_norm.weight", Q4_K), "Q4_K");
  }

  @ParameterizedTest
  @CsvSource({
    "general.architecture",
    "llama.embedding_length",
    "llama.block_count",
    "llama.attention.layer_norm_rms_epsilon"
  })
  void namesTheKeyThatIsMissing(String key) {
    assertRefused(gguf(ParityCase.of("llama-float32")).without(key), key);
  }

  @Test
  void namesAnArchitectureThatIsNotKnown() {
    var gguf = gguf(ParityCase.of("llama-float32")).with("general.architecture", "mamba");
    for (var key :
        new String[] {
          "embedding_length",
          "block_count",
          "feed_forward_length",
          "context_length",
          "attention.head_count"
        }) {
      gguf.with("mamba." + key, 64);
    }
    gguf.with("mamba.attention.layer_norm_rms_epsilon", 1e-5f);
    assertRefused(gguf, "The model type mamba is not supported. Supported are llama");
  }

  @Test
  void namesATensorThatNoModelHas() {
    var gguf = gguf(ParityCase.of("llama-float32")).withTensor("blk.0.ssm_a.weight", 1, 2);
    assertRefused(gguf, "blk.0.ssm_a.weight");
  }

  private static TinyGguf gguf(ParityCase parity) {
    return new TinyGguf(parity.checkpoint(), parity.config());
  }

  /** As llama.cpp's converter works them out. */
  private static float[] llama3Factors(ParityCase parity) {
    var scaling = parity.config().get("rope_scaling");
    var context = scaling.get("original_max_position_embeddings").asDouble();
    var low = scaling.get("low_freq_factor").asDouble();
    var high = scaling.get("high_freq_factor").asDouble();
    var factor = scaling.get("factor").asDouble();
    var dims = 16;
    var factors = new float[dims / 2];
    for (var i = 0; i < factors.length; i++) {
      var wavelength = 2 * Math.PI * Math.pow(10000, 2.0 * i / dims);
      var smooth = Math.clamp((context / wavelength - low) / (high - low), 0, 1);
      factors[i] = (float) (1 / ((1 - smooth) / factor + smooth));
    }
    return factors;
  }

  private void assertRefused(TinyGguf gguf, String message) {
    assertThatThrownBy(() -> answers(gguf, new int[] {1}, 1))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining(message);
  }

  private void assertAnswers(TinyGguf gguf, ParityCase parity) {
    assertAnswers(gguf, parity, TOLERANCE);
  }

  private void assertAnswers(TinyGguf gguf, ParityCase parity, float tolerance) {
    var rows = answers(gguf, parity.prompt(), 2);
    for (var row = 0; row < rows.length; row++) {
      assertThat(rows[row])
          .usingComparatorWithPrecision(tolerance)
          .containsExactly(parity.lastLogits().get(row));
    }
  }

  private float[][] answers(TinyGguf gguf, int[] prompt, int rows) {
    var file = folder.resolve("tiny.gguf");
    gguf.write(file);
    return mlx.call(
        () -> {
          var loader = new ModelLoader(ModelFamilies.standard(), Device.CPU);
          try (var loaded = loader.load(new Checkpoint.Gguf("tiny", file), ComputeType.AUTO);
              var sequence = new Greedy(loaded.model())) {
            return sequence.prefill(prompt, 512, rows);
          }
        });
  }
}
