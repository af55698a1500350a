package dev.vllmmlx.mlx.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.mlx.nn.Quantization;
import dev.vllmmlx.mlx.nn.RopeScaling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class ModelConfigTest {

  private static final String LLAMA =
      """
      {"model_type": "llama", "vocab_size": 100, "hidden_size": 64, "intermediate_size": 96,
       "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
       "max_position_embeddings": 512, "rms_norm_eps": 1e-5}
      """;

  @Test
  void readsTheShape() {
    var config = parse("{}");
    assertThat(config.headDim()).isEqualTo(16);
    assertThat(config.groupSize()).isEqualTo(2);
    assertThat(config.rope().theta()).isEqualTo(10000);
    assertThat(config.rope().scaling()).isEqualTo(new RopeScaling.None());
    assertThat(config.tiedEmbeddings()).isEmpty();
    assertThat(config.windows()).containsExactly(OptionalInt.empty(), OptionalInt.empty());
    assertThat(config.quantization()).isEqualTo(QuantizationConfig.NONE);
  }

  @Test
  void takesNullForAbsent() {
    var config = parse("{'head_dim': null, 'rope_scaling': null, 'sliding_window': null}");
    assertThat(config.headDim()).isEqualTo(16);
    assertThat(config.rope().scaling()).isEqualTo(new RopeScaling.None());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model_type",
        "vocab_size",
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "max_position_embeddings",
        "rms_norm_eps"
      })
  void namesTheKeyThatIsMissing(String key) {
    assertThatThrownBy(() -> parse("{'%s': null}".formatted(key)))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining(key + " is missing");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'hidden_size': 'wide'}                             | hidden_size is \"wide\"",
        "{'hidden_size': 0}                                  | hidden_size is 0",
        "{'hidden_size': 1.5}                                | hidden_size is 1.5",
        "{'num_key_value_heads': 3}                          | num_key_value_heads is 3",
        "{'num_attention_heads': 5, 'num_key_value_heads': 5}| num_attention_heads is 5",
        "{'attention_bias': 1}                               | attention_bias is 1",
        "{'hidden_act': 'gelu'}                              | hidden_act is \"gelu\"",
        "{'rope_scaling': {'type': 'longrope', 'factor': 2}} | rope_scaling.type is \"longrope\"",
        "{'rope_scaling': {'rope_type': 'dynamic'}}          | rope_scaling.rope_type is \"dynamic\"",
        "{'rope_scaling': {'type': 'linear'}}                | rope_scaling.factor is missing",
        "{'rope_scaling': 2}                                 | rope_scaling is not a JSON object",
        "{'rope_parameters': {'rope_theta': -1}}             | rope_parameters.rope_theta is -1",
        "{'partial_rotary_factor': 0.5}                      | partial_rotary_factor is 0.5",
        "{'layer_types': ['full_attention']}                 | layer_types is",
        "{'layer_types': ['full_attention', 'sliding_attention']} | sliding_window is missing",
        "{'quantization': {'bits': 7, 'group_size': 64}}     | quantization: bits is 7",
        "{'quantization': {'bits': 4, 'group_size': 16}}     | quantization: group_size is 16",
        "{'quantization': {'bits': 4, 'group_size': 32, 'mode': 'mxfp4'}} | quantization.mode is \"mxfp4\"",
        "{'quantization_config': {'quant_method': 'gptq'}}   | quant_method is \"gptq\""
      })
  void namesTheKeyThatIsWrong(String change, String message) {
    assertThatThrownBy(() -> parse(change))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining(message);
  }

  @Test
  void readsLlama3Scaling() {
    var scaling =
        """
        {'rope_theta': 500000.0, 'rope_scaling': {'rope_type': 'llama3', 'factor': 32.0, 'low_freq_factor': 1.0,
         'high_freq_factor': 4.0, 'original_max_position_embeddings': 8192}}
        """;
    var rope = parse(scaling).rope();
    assertThat(rope.theta()).isEqualTo(500000);
    assertThat(rope.scaling()).isEqualTo(new RopeScaling.Llama3(32, 1, 4, 8192));
  }

  @Test
  void readsRopeInTheNewSpelling() {
    var scaling =
        """
        {'rope_parameters': {'rope_theta': 1000000, 'rope_type': 'yarn', 'factor': 4.0}}
        """;
    var rope = parse(scaling).rope();
    assertThat(rope.theta()).isEqualTo(1e6);
    assertThat(rope.scaling())
        .isEqualTo(new RopeScaling.Yarn(4, 512, 32, 1, 0.1 * Math.log(4) + 1));
  }

  @Test
  void givesAllOfMistralsLayersTheWindow() {
    assertThat(parse("{'model_type': 'mistral', 'sliding_window': 64}").windows())
        .containsExactly(OptionalInt.of(64), OptionalInt.of(64));
  }

  @Test
  void givesQwensUpperLayersTheWindowWhereItIsInUse() {
    assertThat(parse("{'use_sliding_window': false, 'sliding_window': 64}").windows())
        .containsOnly(OptionalInt.empty());
    var used = "{'use_sliding_window': true, 'sliding_window': 64, 'max_window_layers': 1}";
    assertThat(parse(used).windows()).containsExactly(OptionalInt.empty(), OptionalInt.of(64));
  }

  @Test
  void readsQuantizationByLayer() {
    var config =
        parse(
                """
                {'quantization': {'bits': 4, 'group_size': 64, 'mode': 'affine',
                  'model.layers.0.mlp.up_proj': {'bits': 8, 'group_size': 32},
                  'model.layers.1.mlp.up_proj': false, 'lm_head': true}}
                """)
            .quantization();
    assertThat(config.of("model.layers.0.mlp.up_proj")).contains(new Quantization(8, 32));
    assertThat(config.of("model.layers.1.mlp.up_proj")).isEqualTo(Optional.empty());
    assertThat(config.of("lm_head")).contains(new Quantization(4, 64));
  }

  @Test
  void saysWhichFileIsNoJson(@TempDir Path folder) throws IOException {
    assertThatThrownBy(() -> ModelConfig.read(folder)).hasMessageContaining("config.json");
    Files.writeString(folder.resolve("config.json"), "{");
    assertThatThrownBy(() -> ModelConfig.read(folder)).hasMessageContaining("is not JSON");
  }

  @Test
  void listsTheFamiliesThatAreKnown() {
    assertThatThrownBy(() -> ModelFamilies.standard().of("mamba"))
        .isInstanceOf(ModelFormatException.class)
        .hasMessage(
            "The model type mamba is not supported. Supported are llama, mistral, qwen2, qwen3");
  }

  private static ModelConfig parse(String changes) {
    var json = (ObjectNode) JsonMapper.shared().readTree(LLAMA);
    json.setAll((ObjectNode) JsonMapper.shared().readTree(changes.replace('\'', '"')));
    return ModelConfig.parse(json);
  }
}
