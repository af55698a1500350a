package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.LayerOps;
import java.util.Optional;

/**
 * One walk of some rows through a model: it knows which sequence and position each row has, and
 * holds the cache. For every layer, in their order, a model calls {@link #attend} once, or writes
 * to the layer's {@link #memory} itself.
 */
public interface ForwardPass {

  /**
   * Norms and rotates the rows' queries and keys, appends keys and values to the layer's cache,
   * then attends: a row sees the tokens of its own sequence up to itself, and no further back than
   * the window.
   *
   * @param layer from 0
   * @param queries {@code [rows, heads * headDim]}, as projected
   * @param keys {@code [rows, kvHeads * headDim]}, as projected
   * @param values {@code [rows, kvHeads * headDim]}
   * @return {@code [rows, heads * headDim]}
   */
  Array attend(int layer, Array queries, Array keys, Array values, AttentionShape shape);

  /**
   * The memory of a layer, for an operation that writes all rows' keys and values there itself, in
   * the place of {@link #attend}.
   *
   * @return empty where there is not one for all rows
   */
  default Optional<LayerOps.LayerMemory> memory(int layer, Rope rope) {
    return Optional.empty();
  }
}
