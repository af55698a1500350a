package dev.vllmmlx.hub.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes GGUF files byte by byte, well-formed or not as the caller likes. */
public final class GgufBytes {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** Magic, version and the two counts. */
  public static GgufBytes header(int version, long tensors, long values) {
    return new GgufBytes().ascii("GGUF").i32(version).i64(tensors).i64(values);
  }

  public GgufBytes ascii(String text) {
    out.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
    return this;
  }

  public GgufBytes i8(int value) {
    out.write(value);
    return this;
  }

  public GgufBytes i16(int value) {
    return bytes(little(2).putShort((short) value));
  }

  public GgufBytes i32(int value) {
    return bytes(little(4).putInt(value));
  }

  public GgufBytes i64(long value) {
    return bytes(little(8).putLong(value));
  }

  public GgufBytes f32(float value) {
    return bytes(little(4).putFloat(value));
  }

  public GgufBytes f64(double value) {
    return bytes(little(8).putDouble(value));
  }

  public GgufBytes string(String text) {
    var utf8 = text.getBytes(StandardCharsets.UTF_8);
    i64(utf8.length);
    out.writeBytes(utf8);
    return this;
  }

  /** A key and the number of its value's type; the value follows. */
  public GgufBytes key(String key, int type) {
    return string(key).i32(type);
  }

  /** A key, and the head of an array; the elements follow. */
  public GgufBytes arrayKey(String key, int elementType, long length) {
    return key(key, 9).i32(elementType).i64(length);
  }

  public GgufBytes tensor(String name, int type, long offset, long... shape) {
    string(name).i32(shape.length);
    for (var extent : shape) {
      i64(extent);
    }
    return i32(type).i64(offset);
  }

  /** Zeros up to a multiple of the alignment, and so many more. */
  public GgufBytes data(int alignment, int length) {
    while (out.size() % alignment != 0) {
      out.write(0);
    }
    out.writeBytes(new byte[length]);
    return this;
  }

  public byte[] toByteArray() {
    return out.toByteArray();
  }

  private static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private GgufBytes bytes(ByteBuffer buffer) {
    out.writeBytes(buffer.array());
    return this;
  }
}
