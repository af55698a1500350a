package dev.vllmmlx.mlx.array;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Where the arrays of a {@code .safetensors} file lie. The format: the header's length in eight
 * bytes, little-endian; the header, a JSON object of {@code {"dtype", "shape", "data_offsets":
 * [begin, end]}} by name; the data, from which the offsets count.
 */
final class SafetensorsOffsets {
  private SafetensorsOffsets() {}

  /**
   * The offset of each array's first byte, from the file's start.
   *
   * @throws MlxException if the file cannot be read or is not of this format
   */
  static Map<String, Long> read(Path path) {
    try (var channel = FileChannel.open(path)) {
      var length = fill(channel, 8, 0, path).order(ByteOrder.LITTLE_ENDIAN).getLong();
      if (length < 0 || length > channel.size() - 8 || length > Integer.MAX_VALUE - 8) {
        throw new MlxException(path + " has a header of an impossible length: " + length);
      }
      var header = JsonMapper.shared().readTree(fill(channel, (int) length, 8, path).array());
      var offsets = new HashMap<String, Long>();
      header.forEachEntry(
          (name, entry) -> {
            var begin = entry.path("data_offsets").path(0);
            if (begin.canConvertToLong() && begin.asLong() >= 0) {
              offsets.put(name, 8 + length + begin.asLong());
            }
          });
      return offsets;
    } catch (IOException | JacksonException e) {
      throw new MlxException("%s cannot be read: %s".formatted(path, e.getMessage()), e);
    }
  }

  private static ByteBuffer fill(FileChannel channel, int bytes, long position, Path path)
      throws IOException {
    var buffer = ByteBuffer.allocate(bytes);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw new MlxException(path + " ends within its header");
      }
    }
    return buffer.flip();
  }
}
