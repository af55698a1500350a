package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Mlx;
import java.util.Optional;

/**
 * {@code y = x W^T + b}.
 *
 * @param weight {@code [outputs, inputs]}, dense or packed
 * @param bias {@code [outputs]}
 */
public record Linear(Matrix weight, Optional<Array> bias) {

  /** {@code [rows, inputs] -> [rows, outputs]}. */
  public Array apply(Array x) {
    var y = weight.timesRows(x);
    return bias.isPresent() ? Mlx.add(y, bias.get()) : y;
  }
}
