package dev.vllmmlx.mlx.model;

import dev.vllmmlx.mlx.nn.Block;
import dev.vllmmlx.mlx.nn.TransformerBlock;
import java.util.Set;

/** Llama 2 and 3, SmolLM2, and the many models that keep to their plan. */
final class Llama implements ModelFamily {

  @Override
  public Set<String> modelTypes() {
    return Set.of("llama");
  }

  @Override
  public CausalLanguageModel build(ModelConfig config, Weights weights) {
    return Decoder.of(config, weights, Llama::block);
  }

  private static Block block(LayerWeights layer) {
    var bias = layer.config().attentionBias();
    return new TransformerBlock(
        layer.norm("input_layernorm"),
        layer.attention(bias, bias, false),
        layer.norm("post_attention_layernorm"),
        layer.feedForward(layer.config().mlpBias()));
  }
}
