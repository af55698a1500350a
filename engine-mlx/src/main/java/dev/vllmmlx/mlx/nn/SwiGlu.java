package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Activation;
import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.LayerOps;
import java.util.Optional;

/** The gated feed-forward block: {@code down(silu(gate(x)) * up(x))}. */
public record SwiGlu(Linear gate, Linear up, Linear down) {

  /** {@code x + feedForward(norm(x))}: {@code [rows, size] -> [rows, size]}. */
  public Array addTo(Array x, RmsNorm norm) {
    return down.addTo(
        x, LayerOps.gate(Activation.SILU, x, Optional.of(norm.op()), gate.op(), up.op()));
  }
}
