package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;

/**
 * Vectors of tokens.
 *
 * @param weight {@code [vocabulary, size]}
 */
public record Embedding(Matrix weight) {

  /** {@code [rows] int32 -> [rows, size]}. */
  public Array apply(Array tokenIds) {
    return weight.rows(tokenIds);
  }

  /** The output head of a model whose head is its embedding. */
  public Linear asLinear() {
    return new Linear(weight, java.util.Optional.empty());
  }
}
