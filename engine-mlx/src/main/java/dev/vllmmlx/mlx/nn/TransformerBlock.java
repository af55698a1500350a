package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Activation;
import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.PreparedLayer;

/**
 * A layer that norms what goes into attention and feed-forward, and adds what comes out. Few rows
 * go through it in one operation where the device has it, which gives the same bits.
 */
public final class TransformerBlock implements Block {
  private final RmsNorm attentionNorm;
  private final Attention attention;
  private final RmsNorm feedForwardNorm;
  private final SwiGlu feedForward;
  private final PreparedLayer prepared;

  public TransformerBlock(
      RmsNorm attentionNorm, Attention attention, RmsNorm feedForwardNorm, SwiGlu feedForward) {
    this.attentionNorm = attentionNorm;
    this.attention = attention;
    this.feedForwardNorm = feedForwardNorm;
    this.feedForward = feedForward;
    this.prepared =
        new PreparedLayer(
            new PreparedLayer.Parts(
                attentionNorm.op(),
                attention.queries().op(),
                attention.keys().op(),
                attention.values().op(),
                attention.output().op(),
                attention.shape().plan(),
                feedForwardNorm.op(),
                feedForward.gate().op(),
                feedForward.up().op(),
                feedForward.down().op(),
                Activation.SILU));
  }

  @Override
  public Array apply(int layer, Array x, ForwardPass pass) {
    return pass.memory(layer, attention.shape().rope())
        .flatMap(memory -> prepared.apply(x, memory))
        .orElseGet(() -> stepByStep(layer, x, pass));
  }

  private Array stepByStep(int layer, Array x, ForwardPass pass) {
    var h = attention.addTo(x, attentionNorm, layer, pass);
    return feedForward.addTo(h, feedForwardNorm);
  }
}
