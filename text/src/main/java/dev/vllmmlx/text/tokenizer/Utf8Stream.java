package dev.vllmmlx.text.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Bytes in, text out, never half a character: bytes that may still become one are held back (at
 * most three). What can never become one turns into U+FFFD, one for each maximal invalid part, as
 * in the Unicode Standard (3.9, table 3-8), Rust and Java. Any split of the bytes gives the same
 * text.
 */
final class Utf8Stream {
  private byte[] held = new byte[0];

  /** The text that {@code bytes}, after what was held back, complete. */
  String feed(byte[] bytes) {
    if (bytes.length == 0) {
      return "";
    }
    var all = bytes;
    if (held.length > 0) {
      all = Arrays.copyOf(held, held.length + bytes.length);
      System.arraycopy(bytes, 0, all, held.length, bytes.length);
    }
    var open = openTail(all);
    held = Arrays.copyOfRange(all, all.length - open, all.length);
    return new String(all, 0, all.length - open, StandardCharsets.UTF_8);
  }

  /** What is held back, which nothing completes any more: U+FFFD, or nothing. */
  String flush() {
    var rest = new String(held, StandardCharsets.UTF_8);
    held = new byte[0];
    return rest;
  }

  /** How many bytes at the end are the start of a character that more bytes could complete. */
  private static int openTail(byte[] bytes) {
    for (var back = 1; back <= 3 && back <= bytes.length; back++) {
      var lead = bytes[bytes.length - back] & 0xFF;
      if (lead >= 0x80 && lead < 0xC0) {
        continue;
      }
      var second = back > 1 ? bytes[bytes.length - back + 1] & 0xFF : -1;
      return back < sequenceLength(lead) && mayFollow(lead, second) ? back : 0;
    }
    return 0;
  }

  private static int sequenceLength(int lead) {
    if (lead >= 0xC2 && lead <= 0xDF) {
      return 2;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
      return 3;
    }
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 1;
  }

  /** Overlong forms, surrogates and what is beyond U+10FFFF show in the second byte. */
  private static boolean mayFollow(int lead, int second) {
    if (second < 0) {
      return true;
    }
    return switch (lead) {
      case 0xE0 -> second >= 0xA0;
      case 0xED -> second < 0xA0;
      case 0xF0 -> second >= 0x90;
      case 0xF4 -> second < 0x90;
      default -> true;
    };
  }
}
