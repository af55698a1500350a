package dev.vllmmlx.text.tokenizer;

/**
 * Bytes in, text out, never half a character: bytes that may still become one are held back (at
 * most three). What can never become one turns into U+FFFD, one for each maximal part of a
 * character, as the WHATWG Encoding Standard and Rust have it; {@code String} and {@code
 * CharsetDecoder} count surrogates differently. Any split of the bytes gives the same text.
 */
final class Utf8Stream {
  private static final char BROKEN = '\uFFFD';

  private int codePoint;

  /** Bytes that are still to come of the character begun; 0 between characters. */
  private int missing;

  /**
   * The bounds of the next byte: overlong forms, surrogates and too high ones show in the second.
   */
  private int lower = 0x80;

  private int upper = 0xBF;

  /** The text that {@code bytes}, after what was held back, complete. */
  String feed(byte[] bytes) {
    var text = new StringBuilder(bytes.length);
    for (var b : bytes) {
      feed(b & 0xFF, text);
    }
    return text.toString();
  }

  /** What is held back, which nothing completes any more: U+FFFD, or nothing. */
  String flush() {
    var rest = missing > 0 ? Character.toString(BROKEN) : "";
    missing = 0;
    return rest;
  }

  private void feed(int b, StringBuilder text) {
    if (missing > 0 && (b < lower || b > upper)) {
      text.append(BROKEN);
      missing = 0;
    }
    if (missing == 0) {
      begin(b, text);
      return;
    }
    lower = 0x80;
    upper = 0xBF;
    codePoint = codePoint << 6 | b & 0x3F;
    if (--missing == 0) {
      text.appendCodePoint(codePoint);
    }
  }

  private void begin(int b, StringBuilder text) {
    lower = 0x80;
    upper = 0xBF;
    if (b < 0x80) {
      text.append((char) b);
    } else if (b >= 0xC2 && b <= 0xDF) {
      missing = 1;
      codePoint = b & 0x1F;
    } else if (b >= 0xE0 && b <= 0xEF) {
      lower = b == 0xE0 ? 0xA0 : lower;
      upper = b == 0xED ? 0x9F : upper;
      missing = 2;
      codePoint = b & 0x0F;
    } else if (b >= 0xF0 && b <= 0xF4) {
      lower = b == 0xF0 ? 0x90 : lower;
      upper = b == 0xF4 ? 0x8F : upper;
      missing = 3;
      codePoint = b & 0x07;
    } else {
      text.append(BROKEN);
    }
  }
}
