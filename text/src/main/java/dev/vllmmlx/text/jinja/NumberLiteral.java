package dev.vllmmlx.text.jinja;

import java.math.BigInteger;
import java.util.regex.Pattern;

/** Number literals: underscores, hexadecimal, octal, binary, floats. */
final class NumberLiteral {
  private static final Pattern FLOAT =
      Pattern.compile(
          "(?:[0-9]+_)*+[0-9]+(?:(?:\\.(?:[0-9]+_)*+[0-9]+)?[eE][+-]?(?:[0-9]+_)*+[0-9]+"
              + "|\\.(?:[0-9]+_)*+[0-9]+)");
  private static final Pattern INTEGER =
      Pattern.compile(
          "0[bB](?:_?[01])++|0[oO](?:_?[0-7])++|0[xX](?:_?[0-9a-fA-F])++|[1-9](?:_?[0-9])*+|0(?:_?0)*+");

  /** A literal's value and where the source goes on after it. */
  record Read(Object value, int end) {}

  private NumberLiteral() {}

  /** Reads the literal that starts with a digit at {@code start}. */
  static Read read(String source, int start) {
    boolean afterDot = start > 0 && source.charAt(start - 1) == '.';
    var matcher = FLOAT.matcher(source).region(start, source.length());
    if (!afterDot && matcher.lookingAt()) {
      return new Read(Double.valueOf(matcher.group().replace("_", "")), matcher.end());
    }
    matcher = INTEGER.matcher(source).region(start, source.length());
    if (!matcher.lookingAt()) {
      throw new IllegalStateException("a digit always starts an integer");
    }
    return new Read(integer(matcher.group().replace("_", "")), matcher.end());
  }

  private static Object integer(String digits) {
    int radix =
        digits.length() < 3
            ? 10
            : switch (digits.charAt(1)) {
              case 'x', 'X' -> 16;
              case 'o', 'O' -> 8;
              case 'b', 'B' -> 2;
              default -> 10;
            };
    return PyNumbers.normal(new BigInteger(radix == 10 ? digits : digits.substring(2), radix));
  }
}
