package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Mlx;

/** A weight matrix of {@code [outputs, inputs]}. */
public sealed interface Matrix {

  /** {@code x W^T}: {@code [rows, inputs] -> [rows, outputs]}. */
  Array timesRows(Array x);

  /** Some rows of the matrix, unpacked: {@code [n] -> [n, inputs]}. */
  Array rows(Array indices);

  /**
   * Every weight as it is.
   *
   * @param weight {@code [outputs, inputs]} in a floating type
   */
  record Dense(Array weight) implements Matrix {

    @Override
    public Array timesRows(Array x) {
      return Mlx.matmul(x, Mlx.transpose(weight));
    }

    @Override
    public Array rows(Array indices) {
      return Mlx.take(weight, indices, 0);
    }
  }

  /**
   * MLX's affine quantization.
   *
   * @param weight {@code [outputs, inputs * bits / 32]} uint32
   * @param scales {@code [outputs, inputs / groupSize]}
   * @param biases like the scales
   */
  record Packed(Array weight, Array scales, Array biases, Quantization quantization)
      implements Matrix {

    @Override
    public Array timesRows(Array x) {
      return Mlx.quantizedMatmul(
          x, weight, scales, biases, true, quantization.groupSize(), quantization.bits());
    }

    @Override
    public Array rows(Array indices) {
      return Mlx.dequantize(
          Mlx.take(weight, indices, 0),
          Mlx.take(scales, indices, 0),
          Mlx.take(biases, indices, 0),
          quantization.groupSize(),
          quantization.bits());
    }
  }
}
