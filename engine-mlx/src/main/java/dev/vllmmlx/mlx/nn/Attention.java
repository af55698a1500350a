package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;
import java.util.Optional;

/** Self-attention: the projections around what {@link ForwardPass#attend} does. */
public record Attention(
    Linear queries, Linear keys, Linear values, Linear output, AttentionShape shape) {

  /** {@code x + attention(norm(x))}: {@code [rows, size] -> [rows, size]}. */
  public Array addTo(Array x, RmsNorm norm, int layer, ForwardPass pass) {
    var projected = Linear.applyAll(x, Optional.of(norm), queries, keys, values);
    var mixed = pass.attend(layer, projected[0], projected[1], projected[2], shape);
    return output.addTo(x, mixed);
  }
}
