package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Mlx;

/** The gated feed-forward block: {@code down(silu(gate(x)) * up(x))}. */
public record SwiGlu(Linear gate, Linear up, Linear down) {

  /** {@code [rows, size] -> [rows, size]}. */
  public Array apply(Array x) {
    return down.apply(Mlx.swiglu(gate.apply(x), up.apply(x)));
  }
}
