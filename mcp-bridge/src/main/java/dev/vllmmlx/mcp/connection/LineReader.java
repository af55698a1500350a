package dev.vllmmlx.mcp.connection;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Lines of UTF-8 from a stream that is not trusted: a line that is too long is no reason to run out
 * of memory.
 */
final class LineReader {
  private final InputStream in;
  private final int mostBytes;
  private final byte[] chunk = new byte[8192];
  private byte[] line = new byte[1024];
  private int length;
  private int at;
  private int end;

  LineReader(InputStream in, int mostBytes) {
    this.in = in;
    this.mostBytes = mostBytes;
  }

  /** A line was longer than allowed; the reader is in its middle. */
  static final class TooLong extends IOException {
    private static final long serialVersionUID = 1;

    TooLong(int mostBytes) {
      super("sent a line of more than %d bytes".formatted(mostBytes));
    }
  }

  /** The next line without its end; null at the stream's end. */
  String read() throws IOException {
    length = 0;
    while (true) {
      if (at == end) {
        at = 0;
        end = in.read(chunk);
        if (end <= 0) {
          end = 0;
          return length == 0 ? null : text();
        }
      }
      var next = at;
      while (next < end && chunk[next] != '\n') {
        next++;
      }
      append(next - at);
      at = next;
      if (next < end) {
        at++;
        return text();
      }
    }
  }

  private void append(int count) throws TooLong {
    if (length + (long) count > mostBytes) {
      at += count;
      throw new TooLong(mostBytes);
    }
    if (length + count > line.length) {
      line = Arrays.copyOf(line, Math.min(mostBytes, Math.max(length + count, 2 * line.length)));
    }
    System.arraycopy(chunk, at, line, length, count);
    length += count;
  }

  private String text() {
    var whole = length > 0 && line[length - 1] == '\r' ? length - 1 : length;
    var text = new String(line, 0, whole, StandardCharsets.UTF_8);
    if (line.length > 1 << 16) {
      line = new byte[1024]; // One long line shall not be remembered for ever.
    }
    return text;
  }
}
