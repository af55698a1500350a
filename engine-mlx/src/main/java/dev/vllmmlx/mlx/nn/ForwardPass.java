package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;

/**
 * One walk of some rows through a model: it knows which sequence and position each row has, and
 * holds the cache. A model calls {@link #attend} once for every layer, in their order.
 */
public interface ForwardPass {

  /**
   * Rotates each row to its position.
   *
   * @param x queries or keys, {@code [rows, heads, headDim]}
   * @return the same shape
   */
  Array rotate(Rope rope, Array x);

  /**
   * Appends the rows' keys and values to the layer's cache, then attends: a row sees the tokens of
   * its own sequence up to itself, and no further back than the window.
   *
   * @param layer from 0
   * @param queries {@code [rows, heads, headDim]}, rotated
   * @param keys {@code [rows, kvHeads, headDim]}, rotated
   * @param values {@code [rows, kvHeads, headDim]}
   * @return {@code [rows, heads, headDim]}
   */
  Array attend(int layer, Array queries, Array keys, Array values, AttentionShape shape);
}
