package dev.vllmmlx.mlx.nn;

import java.util.Set;

/**
 * MLX's affine quantization: {@code groupSize} neighbours of a row share a scale and a bias, and a
 * weight is {@code scale * q + bias} with {@code q} of so many bits.
 *
 * @param bits one of 2, 3, 4, 5, 6, 8
 * @param groupSize one of 32, 64, 128
 */
public record Quantization(int bits, int groupSize) {

  private static final Set<Integer> BITS = Set.of(2, 3, 4, 5, 6, 8);
  private static final Set<Integer> GROUP_SIZES = Set.of(32, 64, 128);

  /**
   * @throws IllegalArgumentException for what MLX has no kernel for
   */
  public Quantization {
    if (!BITS.contains(bits)) {
      throw new IllegalArgumentException(
          "bits is %d, and MLX quantizes to 2, 3, 4, 5, 6 or 8".formatted(bits));
    }
    if (!GROUP_SIZES.contains(groupSize)) {
      throw new IllegalArgumentException(
          "group_size is %d, and MLX takes 32, 64 or 128".formatted(groupSize));
    }
  }

  /** How many 32-bit words hold a row of {@code columns} weights. */
  public int wordsPerRow(int columns) {
    return columns * bits / 32;
  }

  /** How many scales, and as many biases, go with a row of {@code columns} weights. */
  public int groupsPerRow(int columns) {
    return columns / groupSize;
  }
}
