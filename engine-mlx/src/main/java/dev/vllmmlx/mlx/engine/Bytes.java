package dev.vllmmlx.mlx.engine;

import java.util.Locale;
import java.util.regex.Pattern;

/** Reads sizes such as {@code 512}, {@code 64KB} and {@code 2.5GB}; units are powers of 1024. */
final class Bytes {
  private static final Pattern SIZE =
      Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([KMGT]?)(?:I?B)?", Pattern.CASE_INSENSITIVE);

  private Bytes() {}

  /**
   * @throws IllegalArgumentException for anything else
   */
  static long parse(String text) {
    var match = SIZE.matcher(text);
    if (!match.matches()) {
      throw new IllegalArgumentException("not a number of bytes: " + text);
    }
    var unit = "KMGT".indexOf(match.group(2).toUpperCase(Locale.ROOT));
    var power = match.group(2).isEmpty() ? 0 : unit + 1;
    return (long) (Double.parseDouble(match.group(1)) * Math.pow(1024, power));
  }
}
