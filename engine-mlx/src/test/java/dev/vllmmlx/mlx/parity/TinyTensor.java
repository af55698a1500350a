package dev.vllmmlx.mlx.parity;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A tensor as a safetensors file has it.
 *
 * @param dtype the file's word for it, such as {@code BF16}
 * @param data little-endian, row by row
 */
record TinyTensor(String dtype, int[] shape, byte[] data) {

  static TinyTensor words(int[] values, int... shape) {
    var data = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    data.asIntBuffer().put(values);
    return new TinyTensor("U32", shape, data.array());
  }

  /** Values that the type holds exactly. */
  static TinyTensor floats(String type, float[] values, int... shape) {
    var wide = type.equals("float32");
    var data = ByteBuffer.allocate((wide ? 4 : 2) * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (var value : values) {
      switch (type) {
        case "float32" -> data.putFloat(value);
        case "float16" -> data.putShort(Float.floatToFloat16(value));
        case "bfloat16" -> data.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
        default -> throw new IllegalArgumentException(type);
      }
    }
    var name = wide ? "F32" : type.equals("float16") ? "F16" : "BF16";
    return new TinyTensor(name, shape, data.array());
  }
}
