package dev.vllmmlx.mlx.model;

import dev.vllmmlx.mlx.nn.Block;
import dev.vllmmlx.mlx.nn.TransformerBlock;
import java.util.Set;

/** Mistral 7B and its kin: as Llama, with no bias; early ones look back over a sliding window. */
final class Mistral implements ModelFamily {

  @Override
  public Set<String> modelTypes() {
    return Set.of("mistral");
  }

  @Override
  public CausalLanguageModel build(ModelConfig config, Weights weights) {
    return Decoder.of(config, weights, Mistral::block);
  }

  private static Block block(LayerWeights layer) {
    return new TransformerBlock(
        layer.norm("input_layernorm"),
        layer.attention(false, false, false),
        layer.norm("post_attention_layernorm"),
        layer.feedForward(false));
  }
}
