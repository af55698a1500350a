package dev.vllmmlx.mlx.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.array.Device;
import dev.vllmmlx.mlx.array.MemoryStatus;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.MlxThread;
import dev.vllmmlx.mlx.cache.KvCache;
import dev.vllmmlx.mlx.load.ComputeType;
import dev.vllmmlx.mlx.load.LoadedModel;
import dev.vllmmlx.mlx.load.ModelLoader;
import dev.vllmmlx.mlx.model.ModelFamilies;
import dev.vllmmlx.mlx.model.ModelFormatException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.node.ObjectNode;

class CheckpointLoadingTest {

  private static MlxThread mlx;

  @TempDir Path folder;

  @BeforeAll
  static void start() {
    mlx = MlxThread.start("loading", Device.CPU);
  }

  /** A checkpoint that was refused leaves nothing behind either. */
  @AfterAll
  static void stop() {
    mlx.call(() -> null); // the last task's scope is closed now
    assertThat(MemoryStatus.now().liveHandles()).isZero();
    mlx.close();
  }

  @Test
  void namesATensorThatIsMissing() {
    assertRefused(
        "llama-float32",
        tensors -> tensors.remove("model.layers.1.mlp.up_proj.weight"),
        "The tensor model.layers.1.mlp.up_proj.weight is missing");
  }

  @Test
  void namesAHeadThatIsMissing() {
    assertRefused(
        "llama-float32", tensors -> tensors.remove("lm_head.weight"), "lm_head.weight is missing");
  }

  @Test
  void namesATensorOfAnotherShape() {
    assertRefused(
        "qwen3-float32",
        tensors -> tensors.put("model.layers.0.self_attn.q_norm.weight", vector(7)),
        "model.layers.0.self_attn.q_norm.weight has the shape [7], and [24] is expected");
  }

  @Test
  void namesTensorsThatHaveNoPlace() {
    assertRefused(
        "llama-float32",
        tensors -> tensors.put("model.layers.0.self_attn.q_norm.weight", vector(16)),
        "1 tensors that the model has no place for: model.layers.0.self_attn.q_norm.weight");
  }

  @Test
  void namesScalesThatTheConfigDoesNotKnowOf() {
    assertRefused(
        "llama-float32",
        tensors -> tensors.put("model.layers.0.mlp.up_proj.scales", vector(16)),
        "config.json says that model.layers.0.mlp.up_proj is not quantized");
  }

  @Test
  void namesPackedWeightsOfOtherBitsThanTheConfigSays() {
    var parity = ParityCase.of("llama-4bit-group64");
    var config = (ObjectNode) parity.config().deepCopy();
    parity.checkpoint().write(folder);
    ((ObjectNode) config.get("quantization")).put("bits", 8);
    TinyCheckpoint.writeConfig(folder, config);
    assertThatThrownBy(() -> load(ComputeType.AUTO, LoadedModel::weightBytes))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("model.embed_tokens.weight has the shape [211, 16]");
  }

  @Test
  void passesOverWhatConvertersLeaveBehind() {
    var parity = ParityCase.of("llama-tied-bfloat16-as-float32");
    var checkpoint = parity.checkpoint();
    checkpoint.write(folder);
    var bytes = load(ComputeType.AUTO, LoadedModel::weightBytes);
    checkpoint.tensors().put("model.layers.0.self_attn.rotary_emb.inv_freq", vector(8));
    checkpoint.tensors().put("lm_head.weight", vector(8));
    checkpoint.write(folder);
    assertThat(load(ComputeType.AUTO, LoadedModel::weightBytes)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @CsvSource({
    "AUTO, FLOAT32",
    "FLOAT32, FLOAT32",
    "FLOAT16, FLOAT16",
    "BFLOAT16, BFLOAT16",
  })
  void computesInTheTypeThatIsAskedFor(ComputeType asked, DType expected) {
    ParityCase.of("llama-4bit-float16-as-float32").checkpoint().write(folder);
    DType type =
        load(
            asked,
            loaded -> {
              try (var cache = new KvCache(loaded.model().kvLayers())) {
                var hidden = loaded.model().hidden(Mlx.array(new int[] {1}, 1), cache.append(1));
                return loaded.model().logits(hidden).dtype();
              }
            });
    assertThat(type).isEqualTo(expected);
  }

  @Test
  void keepsPackedWeightsPacked() {
    ParityCase.of("llama-4bit-float16-as-float32").checkpoint().write(folder);
    var half = load(ComputeType.FLOAT16, LoadedModel::weightBytes);
    var wide = load(ComputeType.FLOAT32, LoadedModel::weightBytes);
    // 32 bytes of words and 2 x 2 of scale and bias for 64 weights, against 2 x 4.
    assertThat((double) wide / half).isBetween(1.10, 1.12);
  }

  @Test
  void saysHowMuchACacheTakesAndFreesIt() {
    ParityCase.of("llama-float32").checkpoint().write(folder);
    load(
        ComputeType.AUTO,
        loaded -> {
          try (var cache = new KvCache(loaded.model().kvLayers())) {
            assertThat(cache.bytes()).isZero();
            loaded.model().hidden(Mlx.array(new int[] {1, 2}, 2), cache.append(2));
            // keys and values, 2 layers, 2 heads of 16 floats, one step of tokens
            assertThat(cache.bytes()).isEqualTo(2L * 2 * 2 * 16 * 4 * KvCache.STEP);
            assertThatThrownBy(() -> cache.rewind(3)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> cache.append(0)).isInstanceOf(IllegalArgumentException.class);
          }
          return null;
        });
  }

  private void assertRefused(
      String name, Consumer<Map<String, TinyTensor>> change, String message) {
    var checkpoint = ParityCase.of(name).checkpoint();
    change.accept(checkpoint.tensors());
    checkpoint.write(folder);
    assertThatThrownBy(() -> load(ComputeType.AUTO, LoadedModel::weightBytes))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining(message);
  }

  private <T> T load(ComputeType type, Function<LoadedModel, T> body) {
    return mlx.call(
        () -> {
          var loader = new ModelLoader(ModelFamilies.standard(), Device.CPU);
          try (var loaded = loader.load(new Checkpoint.Folder("tiny", folder), type)) {
            return body.apply(loaded);
          }
        });
  }

  private static TinyTensor vector(int size) {
    return TinyTensor.floats("float32", new float[size], size);
  }
}
