package dev.vllmmlx.text.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;

/** Python's numbers: integers of any size ({@code Long} where they fit), bools, floats. */
final class PyNumbers {
  private static final BigInteger MIN = BigInteger.valueOf(Long.MIN_VALUE);
  private static final BigInteger MAX = BigInteger.valueOf(Long.MAX_VALUE);

  private PyNumbers() {}

  static boolean isInteger(Object value) {
    return value instanceof Long || value instanceof Boolean || value instanceof BigInteger;
  }

  static boolean isNumber(Object value) {
    return isInteger(value) || value instanceof Double;
  }

  /** A Long where the value fits, else the BigInteger. */
  static Object normal(BigInteger value) {
    return value.bitLength() < 64 ? (Object) value.longValue() : value;
  }

  static BigInteger big(Object integer) {
    return switch (integer) {
      case BigInteger big -> big;
      case Boolean bool -> bool ? BigInteger.ONE : BigInteger.ZERO;
      default -> BigInteger.valueOf((Long) integer);
    };
  }

  static double toDouble(Object number) {
    return switch (number) {
      case Double d -> d;
      case Long l -> l;
      case Boolean bool -> bool ? 1 : 0;
      default -> {
        double value = ((BigInteger) number).doubleValue();
        if (Double.isInfinite(value)) {
          throw new TemplateException(
              TemplateException.Kind.OVERFLOW, "int too large to convert to float");
        }
        yield value;
      }
    };
  }

  /** An integer argument; what does not fit a long is cut to its ends. */
  static long toIndex(Object value) {
    return switch (value) {
      case Long l -> l;
      case Boolean bool -> bool ? 1 : 0;
      case BigInteger big -> big.max(MIN).min(MAX).longValue();
      case null, default ->
          throw TemplateException.type(
              "'" + PyTypes.name(value) + "' object cannot be interpreted as an integer");
    };
  }

  /** Compares two numbers exactly; NaN is the caller's. */
  static int compare(Object a, Object b) {
    if (a instanceof Long x && b instanceof Long y) {
      return Long.compare(x, y);
    }
    if (a instanceof Double x && b instanceof Double y) {
      return x < y ? -1 : x > y ? 1 : 0;
    }
    if (isInteger(a) && isInteger(b)) {
      return big(a).compareTo(big(b));
    }
    if (a instanceof Double x) {
      return Double.isInfinite(x)
          ? (x > 0 ? 1 : -1)
          : new BigDecimal(x).compareTo(new BigDecimal(big(b)));
    }
    return -compare(b, a);
  }

  static boolean isNaN(Object value) {
    return value instanceof Double d && Double.isNaN(d);
  }

  /** Python's {@code int(float)}. */
  static Object truncate(double value) {
    if (Double.isNaN(value)) {
      throw TemplateException.value("cannot convert float NaN to integer");
    }
    if (Double.isInfinite(value)) {
      throw new TemplateException(
          TemplateException.Kind.OVERFLOW, "cannot convert float infinity to integer");
    }
    return Math.abs(value) < 1e18
        ? (Object) (long) value
        : normal(new BigDecimal(value).toBigInteger());
  }

  /**
   * Python's {@code int(text, base)}, or null if the text is no integer.
   *
   * @param base 0, or 2 to 36
   */
  static Object parseInt(String text, int base) {
    var digits = PyStrings.strip(text, null);
    boolean negative = digits.startsWith("-");
    if (negative || digits.startsWith("+")) {
      digits = digits.substring(1);
    }
    int radix = base;
    int prefix = prefixRadix(digits);
    if (prefix != 0 && (base == 0 || base == prefix)) {
      radix = prefix;
      digits = digits.substring(2);
      if (digits.startsWith("_")) {
        digits = digits.substring(1);
      }
    } else if (base == 0) {
      radix = 10;
      if (digits.length() > 1 && digits.startsWith("0") && !digits.matches("0[0_]*")) {
        return null;
      }
    }
    var plain = plainDigits(digits, radix);
    if (plain == null || plain.length() > 4300 && Integer.bitCount(radix) != 1) {
      return null;
    }
    var value = new BigInteger(plain, radix);
    return normal(negative ? value.negate() : value);
  }

  private static int prefixRadix(String digits) {
    if (digits.length() < 2 || digits.charAt(0) != '0') {
      return 0;
    }
    return switch (digits.charAt(1)) {
      case 'x', 'X' -> 16;
      case 'o', 'O' -> 8;
      case 'b', 'B' -> 2;
      default -> 0;
    };
  }

  /** ASCII digits without single underscores between them; null if that is not what it is. */
  private static String plainDigits(String digits, int radix) {
    var out = new StringBuilder();
    boolean lastDigit = false;
    for (int i = 0; i < digits.length(); ) {
      int cp = digits.codePointAt(i);
      i += Character.charCount(cp);
      if (cp == '_') {
        if (!lastDigit || i >= digits.length()) {
          return null;
        }
        lastDigit = false;
        continue;
      }
      int digit = cp < 0x80 || Character.isDigit(cp) ? Character.digit(cp, radix) : -1;
      if (digit < 0) {
        return null;
      }
      out.append(Character.forDigit(digit, radix));
      lastDigit = true;
    }
    return lastDigit ? out.toString() : null;
  }

  /** Python's {@code float(text)}, or null if the text is no float. */
  static Double parseFloat(String text) {
    var trimmed = PyStrings.strip(text, null);
    boolean negative = trimmed.startsWith("-");
    var body = negative || trimmed.startsWith("+") ? trimmed.substring(1) : trimmed;
    switch (body.toLowerCase(java.util.Locale.ROOT)) {
      case "inf", "infinity" -> {
        return negative ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
      }
      case "nan" -> {
        return Double.NaN;
      }
      default -> {}
    }
    var ascii = new StringBuilder();
    body.codePoints()
        .forEach(
            cp -> {
              boolean digit = cp > 0x7f && Character.isDigit(cp);
              ascii.appendCodePoint(digit ? '0' + Character.digit(cp, 10) : cp);
            });
    if (!ascii
        .toString()
        .matches("(\\d(_?\\d)*+\\.?(\\d(_?\\d)*+)?|\\.\\d(_?\\d)*+)([eE][+-]?\\d(_?\\d)*+)?")) {
      return null;
    }
    double value = Double.parseDouble(ascii.toString().replace("_", ""));
    return negative ? -value : value;
  }
}
