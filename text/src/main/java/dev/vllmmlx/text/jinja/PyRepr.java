package dev.vllmmlx.text.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.List;

/** Python's {@code str} and {@code repr}. */
final class PyRepr {
  /** Python refuses to print longer integers. */
  private static final int MAX_DIGITS = 4300;

  private PyRepr() {}

  static String str(Object value) {
    return switch (value) {
      case String s -> s;
      case Markup m -> m.text();
      case Undefined _ -> "";
      case null, default -> repr(value);
    };
  }

  static String repr(Object value) {
    if (value instanceof String s) {
      return quote(s);
    }
    var out = new StringBuilder();
    append(out, value);
    return out.toString();
  }

  private static void append(StringBuilder out, Object value) {
    switch (value) {
      case null -> out.append("None");
      case Boolean b -> out.append(b ? "True" : "False");
      case Long l -> out.append(l.longValue());
      case BigInteger big -> out.append(digits(big));
      case Double d -> out.append(number(d));
      case String s -> out.append(quote(s));
      case Markup m -> out.append("Markup(").append(quote(m.text())).append(')');
      case Range range -> out.append(range.repr());
      case List<?> list -> appendItems(out, list, "[", "]");
      case Tuple tuple ->
          appendItems(out, tuple.items(), "(", tuple.items().size() == 1 ? ",)" : ")");
      case Dict dict -> appendDict(out, dict);
      case Dict.View view -> {
        out.append("dict_").append(view.method());
        appendItems(out, view.list(), "([", "])");
      }
      case Undefined _ -> out.append("Undefined");
      case Namespace namespace -> {
        out.append("<Namespace ");
        appendDict(out, namespace.attributes());
        out.append('>');
      }
      case LoopContext loop ->
          out.append("<LoopContext ")
              .append(loop.index0() + 1)
              .append('/')
              .append(loop.length())
              .append('>');
      case Macro macro ->
          out.append("<Macro ")
              .append(macro.name() == null ? "anonymous" : quote(macro.name()))
              .append('>');
      case BlockReference.Blocks _ -> out.append("<TemplateReference None>");
      default -> out.append('<').append(PyTypes.name(value)).append(" object>");
    }
  }

  private static void appendItems(StringBuilder out, List<?> items, String open, String close) {
    out.append(open);
    for (int i = 0; i < items.size(); i++) {
      if (i > 0) {
        out.append(", ");
      }
      append(out, items.get(i));
    }
    out.append(close);
  }

  private static void appendDict(StringBuilder out, Dict dict) {
    out.append('{');
    var separator = "";
    for (var key : dict.keys()) {
      out.append(separator);
      append(out, key);
      out.append(": ");
      append(out, dict.get(key));
      separator = ", ";
    }
    out.append('}');
  }

  static String digits(BigInteger value) {
    // A digit is 3.3 bits, so that fewer bits than three a digit cannot be too long.
    if (value.bitLength() > 3 * MAX_DIGITS) {
      var text = value.bitLength() > 4 * MAX_DIGITS ? null : value.toString();
      if (text == null || text.length() - (value.signum() < 0 ? 1 : 0) > MAX_DIGITS) {
        throw TemplateException.value(
            "Exceeds the limit (4300 digits) for integer string conversion; use"
                + " sys.set_int_max_str_digits() to increase the limit");
      }
      return text;
    }
    return value.toString();
  }

  /** {@code repr} of a float: the shortest digits that read back, an exponent beyond 16 digits. */
  static String number(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    var shortest = shortest(Math.abs(value));
    var digits = shortest.unscaledValue().toString();
    int point = digits.length() - shortest.scale();
    var sign = value < 0 ? "-" : "";
    if (point > 16 || point < -3) {
      int exponent = point - 1;
      var mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
      return "%s%se%s%02d".formatted(sign, mantissa, exponent < 0 ? "-" : "+", Math.abs(exponent));
    }
    if (point <= 0) {
      return sign + "0." + "0".repeat(-point) + digits;
    }
    return point >= digits.length()
        ? sign + digits + "0".repeat(point - digits.length()) + ".0"
        : sign + digits.substring(0, point) + "." + digits.substring(point);
  }

  /** The fewest digits that read back as {@code value}, without trailing zeros. */
  static BigDecimal shortest(double value) {
    var decimal = new BigDecimal(Double.toString(value)).stripTrailingZeros();
    if (decimal.precision() == 2) {
      // Java never prints fewer than two digits; one may do for subnormal numbers.
      var one = new BigDecimal(value).round(new MathContext(1));
      if (one.doubleValue() == value) {
        return one.stripTrailingZeros();
      }
    }
    return decimal;
  }

  private static String quote(String text) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    var out = new StringBuilder(text.length() + 2).append(quote);
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      switch (c) {
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (c == quote) {
            out.append('\\').append(quote);
          } else if (PyStrings.isPrintable(c)) {
            out.appendCodePoint(c);
          } else {
            out.append(escape(c));
          }
        }
      }
    }
    return out.append(quote).toString();
  }

  private static String escape(int c) {
    return c < 0x100
        ? "\\x%02x".formatted(c)
        : c < 0x10000 ? "\\u%04x".formatted(c) : "\\U%08x".formatted(c);
  }

  /** Python's {@code ascii}. */
  static String ascii(Object value) {
    var out = new StringBuilder();
    repr(value)
        .codePoints()
        .forEach(
            c -> {
              if (c < 0x80) {
                out.append((char) c);
              } else {
                out.append(escape(c));
              }
            });
    return out.toString();
  }
}
