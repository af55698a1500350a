package dev.vllmmlx.text.tokenizer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Writes GGUF files (version 3) of metadata only. */
final class GgufFile {
  private GgufFile() {}

  /** Values may be Integer, Boolean, String, {@code int[]}, {@code float[]} or a list of text. */
  static Path write(Path file, Map<String, ?> metadata) throws IOException {
    var bytes = new ByteArrayOutputStream();
    bytes.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    put(bytes, 4, b -> b.putInt(3));
    put(bytes, 8, b -> b.putLong(0));
    put(bytes, 8, b -> b.putLong(metadata.size()));
    metadata.forEach(
        (key, value) -> {
          text(bytes, key);
          value(bytes, value);
        });
    return Files.write(file, bytes.toByteArray());
  }

  private static void value(ByteArrayOutputStream bytes, Object value) {
    switch (value) {
      case Integer number -> put(bytes, 8, b -> b.putInt(5).putInt(number));
      case Boolean flag -> put(bytes, 5, b -> b.putInt(7).put((byte) (flag ? 1 : 0)));
      case String text -> {
        put(bytes, 4, b -> b.putInt(8));
        text(bytes, text);
      }
      case int[] numbers -> {
        array(bytes, 5, numbers.length);
        put(bytes, 4 * numbers.length, b -> b.asIntBuffer().put(numbers));
      }
      case float[] numbers -> {
        array(bytes, 6, numbers.length);
        put(bytes, 4 * numbers.length, b -> b.asFloatBuffer().put(numbers));
      }
      case List<?> texts -> {
        array(bytes, 8, texts.size());
        texts.forEach(text -> text(bytes, (String) text));
      }
      default -> throw new IllegalArgumentException(value.getClass().getName());
    }
  }

  private static void array(ByteArrayOutputStream bytes, int type, long length) {
    put(bytes, 16, b -> b.putInt(9).putInt(type).putLong(length));
  }

  private static void text(ByteArrayOutputStream bytes, String text) {
    var utf8 = text.getBytes(StandardCharsets.UTF_8);
    put(bytes, 8, b -> b.putLong(utf8.length));
    bytes.writeBytes(utf8);
  }

  private static void put(
      ByteArrayOutputStream bytes, int size, java.util.function.Consumer<ByteBuffer> filler) {
    var buffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    filler.accept(buffer);
    bytes.writeBytes(buffer.array());
  }
}
