package dev.vllmmlx.mlx.model;

import dev.vllmmlx.mlx.nn.Block;
import dev.vllmmlx.mlx.nn.TransformerBlock;
import java.util.Set;

/** Qwen 3, dense: the query and key of each head are normed before they are rotated. */
final class Qwen3 implements ModelFamily {

  @Override
  public Set<String> modelTypes() {
    return Set.of("qwen3");
  }

  @Override
  public CausalLanguageModel build(ModelConfig config, Weights weights) {
    return Decoder.of(config, weights, Qwen3::block);
  }

  private static Block block(LayerWeights layer) {
    var bias = layer.config().attentionBias();
    return new TransformerBlock(
        layer.norm("input_layernorm"),
        layer.attention(bias, bias, true),
        layer.norm("post_attention_layernorm"),
        layer.feedForward(false));
  }
}
