package dev.vllmmlx.mlx.array;

/** The element types of MLX. The order is MLX's own: an ordinal is the code that the shim takes. */
public enum DType {
  BOOL(1),
  UINT8(1),
  UINT16(2),
  UINT32(4),
  UINT64(8),
  INT8(1),
  INT16(2),
  INT32(4),
  INT64(8),
  FLOAT16(2),
  FLOAT32(4),
  FLOAT64(8),
  BFLOAT16(2),
  COMPLEX64(8);

  private static final DType[] BY_CODE = values();

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }

  /** Whether it is a real floating-point type. */
  public boolean isFloat() {
    return switch (this) {
      case FLOAT16, FLOAT32, FLOAT64, BFLOAT16 -> true;
      default -> false;
    };
  }

  int code() {
    return ordinal();
  }

  static DType ofCode(int code) {
    return BY_CODE[code];
  }
}
