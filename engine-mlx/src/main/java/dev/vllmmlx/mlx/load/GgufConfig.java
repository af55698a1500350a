package dev.vllmmlx.mlx.load;

import dev.vllmmlx.hub.gguf.GgufMetadata;
import dev.vllmmlx.mlx.model.ModelFormatException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Says in the words of {@code config.json} what a GGUF file's metadata say of its model. The keys
 * are those of llama.cpp's {@code gguf-py/gguf/constants.py}.
 */
final class GgufConfig {

  private final GgufMetadata metadata;
  private final String architecture;

  private GgufConfig(GgufMetadata metadata) {
    this.metadata = metadata;
    this.architecture =
        metadata.string("general.architecture").orElseThrow(() -> missing("general.architecture"));
  }

  /**
   * @throws ModelFormatException if a key that every model needs is not there
   */
  static JsonNode of(GgufMetadata metadata) {
    return new GgufConfig(metadata).config();
  }

  private JsonNode config() {
    var config = JsonNodeFactory.instance.objectNode();
    config.put("model_type", architecture);
    config.put("hidden_size", required("embedding_length"));
    config.put("num_hidden_layers", required("block_count"));
    config.put("intermediate_size", required("feed_forward_length"));
    config.put("num_attention_heads", required("attention.head_count"));
    config.put("max_position_embeddings", required("context_length"));
    config.put("rms_norm_eps", requiredNumber("attention.layer_norm_rms_epsilon"));
    config.put("vocab_size", vocabularySize());
    copy("attention.head_count_kv", config, "num_key_value_heads");
    copy("attention.key_length", config, "head_dim");
    copy("attention.sliding_window", config, "sliding_window");
    metadata.number(key("rope.freq_base")).ifPresent(theta -> config.put("rope_theta", theta));
    // The metadata do not tell of biases: the tensors do.
    config.put("attention_bias", hasTensor("blk.0.attn_output.bias"));
    config.put("mlp_bias", hasTensor("blk.0.ffn_down.bias"));
    rotatesWholeHeads(config);
    scaling(config);
    return config;
  }

  private void scaling(ObjectNode config) {
    var type = metadata.string(key("rope.scaling.type")).orElse("none");
    if (type.equals("none")) {
      return;
    }
    var scaling = config.putObject("rope_scaling");
    scaling.put("type", type);
    scaling.put("factor", requiredNumber("rope.scaling.factor"));
    copy("rope.scaling.original_context_length", scaling, "original_max_position_embeddings");
    metadata
        .number(key("rope.scaling.attn_factor"))
        .ifPresent(factor -> scaling.put("attention_factor", factor));
  }

  private void rotatesWholeHeads(ObjectNode config) {
    var headDim =
        config.has("head_dim")
            ? config.get("head_dim").asLong()
            : config.get("hidden_size").asLong() / config.get("num_attention_heads").asLong();
    var rotated = metadata.integer(key("rope.dimension_count")).orElse(headDim);
    if (rotated != headDim) {
      throw new ModelFormatException(
          "%s is %d and a head has %d dimensions: only whole heads are rotated"
              .formatted(key("rope.dimension_count"), rotated, headDim));
    }
  }

  private long vocabularySize() {
    var size = metadata.integer(key("vocab_size"));
    if (size.isPresent()) {
      return size.getAsLong();
    }
    // Files without the key have as many rows as tokens.
    return metadata.tensors().stream()
        .filter(tensor -> tensor.name().equals("token_embd.weight"))
        .map(tensor -> tensor.shape().getLast())
        .findFirst()
        .orElseThrow(() -> missing(key("vocab_size")));
  }

  private boolean hasTensor(String name) {
    return metadata.tensors().stream().anyMatch(tensor -> tensor.name().equals(name));
  }

  private void copy(String suffix, ObjectNode target, String name) {
    metadata.integer(key(suffix)).ifPresent(value -> target.put(name, value));
  }

  private long required(String suffix) {
    return metadata.integer(key(suffix)).orElseThrow(() -> missing(key(suffix)));
  }

  private double requiredNumber(String suffix) {
    return metadata.number(key(suffix)).orElseThrow(() -> missing(key(suffix)));
  }

  private String key(String suffix) {
    return architecture + "." + suffix;
  }

  private static ModelFormatException missing(String key) {
    return new ModelFormatException("The GGUF metadata has no " + key);
  }
}
