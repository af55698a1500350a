package dev.vllmmlx.mlx.model;

import dev.vllmmlx.mlx.nn.Block;
import dev.vllmmlx.mlx.nn.TransformerBlock;
import java.util.Set;

/** Qwen 2 and 2.5: queries, keys and values have a bias, the output has none. */
final class Qwen2 implements ModelFamily {

  @Override
  public Set<String> modelTypes() {
    return Set.of("qwen2");
  }

  @Override
  public CausalLanguageModel build(ModelConfig config, Weights weights) {
    return Decoder.of(config, weights, Qwen2::block);
  }

  private static Block block(LayerWeights layer) {
    return new TransformerBlock(
        layer.norm("input_layernorm"),
        layer.attention(true, false, false),
        layer.norm("post_attention_layernorm"),
        layer.feedForward(false));
  }
}
