package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;
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
    return weight.timesRows(x, bias);
  }
}
