package dev.vllmmlx.text.jinja;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * Finite floats as C's {@code printf} writes them, exactly rounded, half to even. All take the
 * absolute value.
 */
final class NumberText {
  /** No double has more digits after the point that are not zero. */
  private static final int MAX_PRECISION = 1100;

  private NumberText() {}

  /** {@code %f}. */
  static String fixed(double value, int precision) {
    int exact = Math.min(precision, MAX_PRECISION);
    var text = new BigDecimal(value).setScale(exact, RoundingMode.HALF_EVEN).toPlainString();
    return text + "0".repeat(precision - exact);
  }

  private static BigDecimal rounded(double value, int digits) {
    return new BigDecimal(value)
        .round(new MathContext(Math.min(digits, MAX_PRECISION), RoundingMode.HALF_EVEN));
  }

  private static int exponent(BigDecimal value) {
    return value.signum() == 0 ? 0 : value.precision() - value.scale() - 1;
  }

  /** {@code %e}, {@code precision} digits after the point. */
  static String exponential(double value, int precision) {
    var rounded = rounded(value, precision + 1);
    var digits = rounded.unscaledValue().toString();
    digits += "0".repeat(Math.max(0, precision + 1 - digits.length()));
    digits = digits.substring(0, precision + 1);
    int exponent = exponent(rounded);
    return (precision == 0 ? digits : digits.charAt(0) + "." + digits.substring(1))
        + "e%s%02d".formatted(exponent < 0 ? "-" : "+", Math.abs(exponent));
  }

  /**
   * {@code %g}.
   *
   * @param keepZeros whether trailing zeros stay ({@code #})
   * @param fixedBelow exponents from here on are written as such
   */
  static String general(double value, int precision, boolean keepZeros, int fixedBelow) {
    int digits = Math.max(1, precision);
    int exponent = exponent(rounded(value, digits));
    if (exponent < -4 || exponent >= fixedBelow) {
      var text = exponential(value, digits - 1);
      int at = text.indexOf('e');
      return keepZeros ? text : stripZeros(text.substring(0, at)) + text.substring(at);
    }
    var text = fixed(value, Math.max(0, digits - 1 - exponent));
    return keepZeros ? text : stripZeros(text);
  }

  private static String stripZeros(String text) {
    if (text.indexOf('.') < 0) {
      return text;
    }
    int end = text.length();
    while (text.charAt(end - 1) == '0') {
      end--;
    }
    return text.substring(0, text.charAt(end - 1) == '.' ? end - 1 : end);
  }
}
