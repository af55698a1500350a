package dev.vllmmlx.mlx.model;

import dev.vllmmlx.mlx.array.DType;
import java.util.OptionalInt;

/**
 * What one layer keeps of each token: a key and a value of {@code [kvHeads, headDim]} each.
 *
 * @param window tokens that the layer looks back over, its own included; empty for all
 * @param type a float type; or {@link DType#INT8}, where each head's numbers have a scale of their
 *     own
 */
public record KvLayer(int kvHeads, int headDim, OptionalInt window, DType type) {

  /**
   * The same in 8 bits a number, or in 16: these are float16 where 32 are computed in, and else the
   * half type that is.
   *
   * @throws IllegalArgumentException for any other number
   */
  public KvLayer inBits(int bits) {
    var narrower =
        switch (bits) {
          case 8 -> DType.INT8;
          case 16 -> type == DType.FLOAT32 ? DType.FLOAT16 : type;
          default -> throw new IllegalArgumentException("not 8 or 16 bits: " + bits);
        };
    return new KvLayer(kvHeads, headDim, window, narrower);
  }

  /**
   * Elements of a stored row, the last axis of the memory: the head's numbers and, behind those in
   * 8 bits, the four bytes of the float32 that they are multiplied by.
   */
  public int width() {
    return type == DType.INT8 ? headDim + Float.BYTES : headDim;
  }

  /** What a token's key and value take. */
  public long bytesPerToken() {
    return 2L * kvHeads * width() * type.bytes();
  }
}
