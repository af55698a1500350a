package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Mlx;

/** A layer that norms what goes into attention and feed-forward, and adds what comes out. */
public record TransformerBlock(
    RmsNorm attentionNorm, Attention attention, RmsNorm feedForwardNorm, SwiGlu feedForward)
    implements Block {

  @Override
  public Array apply(int layer, Array x, ForwardPass pass) {
    var h = Mlx.add(x, attention.apply(layer, attentionNorm.apply(x), pass));
    return Mlx.add(h, feedForward.apply(feedForwardNorm.apply(h)));
  }
}
