package dev.vllmmlx.text.tokenizer;

import java.nio.charset.StandardCharsets;

/**
 * GPT-2's printable stand-ins for bytes, in which byte-level BPE vocabularies are written:
 * printable Latin-1 stands for itself, the other 68 bytes are U+0100 and up in order (a space is
 * {@code Ġ}).
 */
final class ByteAlphabet {
  private static final char[] CHARS = new char[256];
  private static final short[] BYTES = new short[256 + 68];

  static {
    java.util.Arrays.fill(BYTES, (short) -1);
    var next = 256;
    for (var b = 0; b < 256; b++) {
      var printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      CHARS[b] = (char) (printable ? b : next++);
      BYTES[CHARS[b]] = (short) b;
    }
  }

  private ByteAlphabet() {}

  static char charOf(byte b) {
    return CHARS[b & 0xFF];
  }

  /**
   * The bytes {@code token} stands for; a token with any other character stands for its own UTF-8.
   */
  static byte[] bytesOf(String token) {
    var bytes = new byte[token.length()];
    for (var i = 0; i < bytes.length; i++) {
      var c = token.charAt(i);
      if (c >= BYTES.length || BYTES[c] < 0) {
        return token.getBytes(StandardCharsets.UTF_8);
      }
      bytes[i] = (byte) BYTES[c];
    }
    return bytes;
  }
}
