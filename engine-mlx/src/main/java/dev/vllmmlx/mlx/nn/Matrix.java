package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Mlx;
import java.util.Optional;

/** A weight matrix of {@code [outputs, inputs]}. */
public sealed interface Matrix {

  /**
   * {@code x W^T + bias}: {@code [rows, inputs] -> [rows, outputs]}.
   *
   * @param bias {@code [outputs]}
   */
  Array timesRows(Array x, Optional<Array> bias);

  /** Some rows of the matrix, unpacked: {@code [n] -> [n, inputs]}. */
  Array rows(Array indices);

  /**
   * Every weight as it is.
   *
   * @param weight {@code [outputs, inputs]} in a floating type
   */
  record Dense(Array weight) implements Matrix {

    @Override
    public Array timesRows(Array x, Optional<Array> bias) {
      // One op, as in mlx-lm: a half type is rounded once, after the bias.
      return Mlx.linear(x, weight, bias);
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
    public Array timesRows(Array x, Optional<Array> bias) {
      var product =
          Mlx.quantizedMatmul(
              x, weight, scales, biases, true, quantization.groupSize(), quantization.bits());
      return bias.isPresent() ? Mlx.add(product, bias.get()) : product;
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
