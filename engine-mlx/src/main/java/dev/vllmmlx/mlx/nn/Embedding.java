package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.DType;

/**
 * Vectors of tokens.
 *
 * @param weight {@code [vocabulary, size]}
 * @param type in which the model computes
 */
public record Embedding(Matrix weight, DType type) {

  /** {@code [rows] int32 -> [rows, size]}. */
  public Array apply(Array tokenIds) {
    return weight.rows(tokenIds, type);
  }

  /** The output head of a model whose head is its embedding. */
  public Linear asLinear() {
    return new Linear(weight, java.util.Optional.empty());
  }
}
