package dev.vllmmlx.mlx.model;

import dev.vllmmlx.mlx.nn.RopeConfig;
import dev.vllmmlx.mlx.nn.RopeScaling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The shape of a decoder-only transformer, as {@code config.json} has it.
 *
 * @param modelType the family, such as {@code llama}
 * @param headDim length of one head's vectors
 * @param maxPositions tokens that the model may see at once
 * @param tiedEmbeddings whether the output head is the embedding; empty where the file does not
 *     say, and the presence of {@code lm_head} in the weights decides
 * @param attentionBias whether the attention's four projections have a bias
 * @param windows a layer's sliding window in tokens; empty for one that sees everything
 * @param json the whole file, for what only one family has
 */
public record ModelConfig(
    String modelType,
    int vocabularySize,
    int hiddenSize,
    int intermediateSize,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int maxPositions,
    float rmsNormEps,
    RopeConfig rope,
    Optional<Boolean> tiedEmbeddings,
    boolean attentionBias,
    boolean mlpBias,
    List<OptionalInt> windows,
    QuantizationConfig quantization,
    ConfigJson json) {

  public ModelConfig {
    windows = List.copyOf(windows);
  }

  /**
   * Reads {@code config.json} in a folder.
   *
   * @throws ModelFormatException if there is none, it is no JSON, or a key is missing or wrong
   */
  public static ModelConfig read(Path folder) {
    var file = folder.resolve("config.json");
    try {
      return parse(JsonMapper.shared().readTree(Files.readString(file)));
    } catch (IOException e) {
      throw new ModelFormatException("%s cannot be read: %s".formatted(file, e), e);
    } catch (JacksonException e) {
      throw new ModelFormatException(
          "%s is not JSON: %s".formatted(file, e.getOriginalMessage()), e);
    }
  }

  /**
   * @throws ModelFormatException if a key is missing or wrong
   */
  public static ModelConfig parse(JsonNode node) {
    var json = new ConfigJson(node, "");
    var modelType = json.optionalText("model_type").orElseThrow(() -> json.missing("model_type"));
    requireSilu(json);
    var heads = json.positiveInt("num_attention_heads");
    var kvHeads = json.optionalPositiveInt("num_key_value_heads").orElse(heads);
    if (heads % kvHeads != 0) {
      throw json.wrong("num_key_value_heads", "a divisor of num_attention_heads, " + heads);
    }
    var hiddenSize = json.positiveInt("hidden_size");
    var layers = json.positiveInt("num_hidden_layers");
    var maxPositions = json.positiveInt("max_position_embeddings");
    return new ModelConfig(
        modelType,
        json.positiveInt("vocab_size"),
        hiddenSize,
        json.positiveInt("intermediate_size"),
        layers,
        heads,
        kvHeads,
        headDim(json, hiddenSize, heads),
        maxPositions,
        (float) json.positiveNumber("rms_norm_eps"),
        RopeSettings.parse(json, modelType.equals("qwen2") ? 1e6 : 1e4, maxPositions),
        json.optionalFlag("tie_word_embeddings"),
        json.flag("attention_bias"),
        json.flag("mlp_bias"),
        windows(json, modelType, layers),
        QuantizationConfig.parse(json),
        json);
  }

  /** The same model with its positions stretched in another way. */
  public ModelConfig withRopeScaling(RopeScaling scaling) {
    return new ModelConfig(
        modelType,
        vocabularySize,
        hiddenSize,
        intermediateSize,
        layers,
        heads,
        kvHeads,
        headDim,
        maxPositions,
        rmsNormEps,
        new RopeConfig(rope.theta(), rope.traditional(), scaling),
        tiedEmbeddings,
        attentionBias,
        mlpBias,
        windows,
        quantization,
        json);
  }

  /** Queries per key: 1 without grouped heads. */
  public int groupSize() {
    return heads / kvHeads;
  }

  private static int headDim(ConfigJson json, int hiddenSize, int heads) {
    var given = json.optionalPositiveInt("head_dim");
    if (given.isEmpty() && hiddenSize % heads != 0) {
      throw json.wrong(
          "num_attention_heads", "a divisor of hidden_size where there is no head_dim");
    }
    return given.orElse(hiddenSize / heads);
  }

  private static void requireSilu(ConfigJson json) {
    var activation = json.optionalText("hidden_act").orElse("silu");
    if (!activation.equals("silu") && !activation.equals("swish")) {
      throw json.wrong("hidden_act", "silu");
    }
  }

  /**
   * Which layers slide: those that {@code layer_types} says; else those from {@code
   * max_window_layers} on where {@code use_sliding_window} is set (Qwen); else all of Mistral's.
   */
  private static List<OptionalInt> windows(ConfigJson json, String modelType, int layers) {
    var window = json.optionalPositiveInt("sliding_window");
    var types = json.node().path("layer_types");
    if (types.isArray()) {
      if (types.size() != layers) {
        throw json.wrong("layer_types", "a list of num_hidden_layers entries");
      }
      return IntStream.range(0, layers)
          .mapToObj(layer -> window(json, types.get(layer).asString(), window))
          .toList();
    }
    int firstSliding;
    if (window.isEmpty()) {
      firstSliding = layers;
    } else if (json.has("use_sliding_window")) {
      firstSliding = json.flag("use_sliding_window") ? firstSlidingLayer(json) : layers;
    } else {
      firstSliding = modelType.equals("mistral") ? 0 : layers;
    }
    return IntStream.range(0, layers)
        .mapToObj(layer -> layer < firstSliding ? OptionalInt.empty() : window)
        .toList();
  }

  private static int firstSlidingLayer(ConfigJson json) {
    var value = json.node().path("max_window_layers");
    if (!value.isIntegralNumber() || value.asInt() < 0) {
      throw json.wrong("max_window_layers", "a whole number, as use_sliding_window is set");
    }
    return value.asInt();
  }

  private static OptionalInt window(ConfigJson json, String layerType, OptionalInt window) {
    return switch (layerType) {
      case "full_attention" -> OptionalInt.empty();
      case "sliding_attention" -> {
        if (window.isEmpty()) {
          throw json.missing("sliding_window");
        }
        yield window;
      }
      default -> throw json.wrong("layer_types", "full_attention or sliding_attention each");
    };
  }
}
