package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;

/** A layer that norms what goes into attention and feed-forward, and adds what comes out. */
public record TransformerBlock(
    RmsNorm attentionNorm, Attention attention, RmsNorm feedForwardNorm, SwiGlu feedForward)
    implements Block {

  @Override
  public Array apply(int layer, Array x, ForwardPass pass) {
    var h = attention.addTo(x, attentionNorm, layer, pass);
    return feedForward.addTo(h, feedForwardNorm);
  }
}
