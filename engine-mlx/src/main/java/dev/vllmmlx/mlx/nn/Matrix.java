package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.array.LayerOps;
import java.util.Optional;

/** A weight matrix of {@code [outputs, inputs]}. */
public sealed interface Matrix {

  /**
   * What operations take.
   *
   * @param bias {@code [outputs]}
   */
  LayerOps.Weight op(Optional<Array> bias);

  /** Some rows of the matrix, unpacked to a type: {@code [n] -> [n, inputs]}. */
  Array rows(Array indices, DType type);

  /**
   * Every weight as it is.
   *
   * @param weight {@code [outputs, inputs]} in a floating type
   */
  record Dense(Array weight) implements Matrix {

    @Override
    public LayerOps.Weight op(Optional<Array> bias) {
      return new LayerOps.Weight(weight, null, null, bias.orElse(null), 0, 0);
    }

    @Override
    public Array rows(Array indices, DType type) {
      return LayerOps.embedding(indices, op(Optional.empty()), type);
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
    public LayerOps.Weight op(Optional<Array> bias) {
      return new LayerOps.Weight(
          weight, scales, biases, bias.orElse(null), quantization.groupSize(), quantization.bits());
    }

    @Override
    public Array rows(Array indices, DType type) {
      return LayerOps.embedding(indices, op(Optional.empty()), type);
    }
  }
}
