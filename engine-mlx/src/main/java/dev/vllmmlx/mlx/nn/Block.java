package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;

/** One layer of a decoder. */
@FunctionalInterface
public interface Block {

  /**
   * @param layer which one it is, from 0
   * @param x {@code [rows, size]}
   * @return {@code [rows, size]}
   */
  Array apply(int layer, Array x, ForwardPass pass);
}
