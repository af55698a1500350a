package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.LayerOps;
import dev.vllmmlx.mlx.array.Mlx;

/**
 * {@code x / sqrt(mean(x^2) + eps) * weight} over the last axis.
 *
 * @param weight {@code [size]}
 */
public record RmsNorm(Array weight, float eps) {

  /** Keeps the shape. */
  public Array apply(Array x) {
    return Mlx.rmsNorm(x, weight, eps);
  }

  LayerOps.Norm op() {
    return new LayerOps.Norm(weight, eps);
  }
}
