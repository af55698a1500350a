package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.TemplateException.Kind;
import java.math.BigInteger;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

/** The {@code %} operator of strings. */
final class PercentFormat {
  private final Evaluation evaluation;
  private final String format;
  private final Object values;
  private final UnaryOperator<String> escape;
  private final StringBuilder out = new StringBuilder();
  private int at;
  private int nextValue;
  private boolean usedKeys;

  private PercentFormat(
      Evaluation evaluation, String format, Object values, UnaryOperator<String> escape) {
    this.evaluation = evaluation;
    this.format = format;
    this.values = values;
    this.escape = escape;
  }

  static String format(Evaluation evaluation, String format, Object values) {
    return new PercentFormat(evaluation, format, values, UnaryOperator.identity()).run();
  }

  /** As markup does it: texts put in are escaped. */
  static String formatMarkup(Evaluation evaluation, String format, Object values) {
    return new PercentFormat(evaluation, format, values, Markup::escapeText).run();
  }

  private String run() {
    while (at < format.length()) {
      int percent = format.indexOf('%', at);
      if (percent < 0) {
        break;
      }
      out.append(format, at, percent);
      at = percent + 1;
      conversion();
      evaluation.allocate(out.length());
    }
    out.append(format, Math.min(at, format.length()), format.length());
    requireAllUsed();
    return out.toString();
  }

  private void requireAllUsed() {
    boolean ok =
        values instanceof Tuple tuple
            ? nextValue >= tuple.items().size()
            : isMapping() || nextValue > 0;
    if (!ok) {
      throw TemplateException.type("not all arguments converted during string formatting");
    }
  }

  private boolean isMapping() {
    return usedKeys
        || values instanceof Dict
        || values instanceof List<?>
        || values instanceof Undefined;
  }

  private char peek() {
    if (at >= format.length()) {
      throw TemplateException.value("incomplete format");
    }
    return format.charAt(at);
  }

  private void conversion() {
    Object keyed = Missing.VALUE;
    if (peek() == '(') {
      keyed = keyed();
    }
    boolean left = false;
    boolean plus = false;
    boolean space = false;
    boolean alternate = false;
    boolean zero = false;
    for (; "-+ #0".indexOf(peek()) >= 0; at++) {
      switch (peek()) {
        case '-' -> left = true;
        case '+' -> plus = true;
        case ' ' -> space = true;
        case '#' -> alternate = true;
        default -> zero = true;
      }
    }
    long width = number();
    if (width < 0) {
      left = true;
      width = -width;
    }
    long precision = -1;
    if (peek() == '.') {
      at++;
      precision = Math.max(0, number());
    }
    while ("hlL".indexOf(peek()) >= 0) {
      at++;
    }
    evaluation.allocate(Math.max(width, precision));
    char type = peek();
    at++;
    if (type == '%') {
      out.append('%');
      return;
    }
    var value = keyed == Missing.VALUE ? next() : keyed;
    var text = convert(type, value, (int) precision, alternate);
    boolean numeric = "diuoxXeEfFgG".indexOf(type) >= 0;
    var sign = "";
    if (numeric) {
      boolean negative = text.startsWith("-");
      sign = negative ? "-" : plus ? "+" : space ? " " : "";
      text = negative ? text.substring(1) : text;
    }
    pad(sign, text, (int) width, left, numeric && zero && !left);
  }

  private void pad(String sign, String text, int width, boolean left, boolean zero) {
    int missing = width - sign.length() - PyStrings.length(text);
    int prefix = text.startsWith("0x") || text.startsWith("0X") || text.startsWith("0o") ? 2 : 0;
    if (missing <= 0) {
      out.append(sign).append(text);
    } else if (left) {
      out.append(sign).append(text).repeat(' ', missing);
    } else if (zero) {
      out.append(sign).append(text, 0, prefix).repeat('0', missing).append(text.substring(prefix));
    } else {
      out.repeat(' ', missing).append(sign).append(text);
    }
  }

  private Object keyed() {
    int depth = 1;
    int start = ++at;
    while (depth > 0) {
      if (at >= format.length()) {
        throw TemplateException.value("incomplete format key");
      }
      char c = format.charAt(at++);
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    }
    var key = format.substring(start, at - 1);
    if (!(values instanceof Dict dict)) {
      throw TemplateException.type("format requires a mapping");
    }
    usedKeys = true;
    var value = dict.get(key);
    if (value == Missing.VALUE) {
      throw new TemplateException(Kind.KEY, PyRepr.repr(key));
    }
    return value;
  }

  private long number() {
    if (peek() == '*') {
      at++;
      var value = next();
      if (!PyNumbers.isInteger(value)) {
        throw TemplateException.type("* wants int");
      }
      return PyNumbers.toIndex(value);
    }
    long value = 0;
    for (; peek() >= '0' && peek() <= '9'; at++) {
      value = Math.min(Integer.MAX_VALUE, value * 10 + peek() - '0');
    }
    return value;
  }

  private Object next() {
    if (values instanceof Tuple tuple) {
      if (nextValue >= tuple.items().size()) {
        throw TemplateException.type("not enough arguments for format string");
      }
      return tuple.items().get(nextValue++);
    }
    if (nextValue++ > 0 || usedKeys) {
      throw TemplateException.type("not enough arguments for format string");
    }
    return values;
  }

  private String convert(char type, Object value, int precision, boolean alternate) {
    return switch (type) {
      case 's' -> cut(text(value), precision);
      case 'r' -> cut(escape.apply(PyRepr.repr(value)), precision);
      case 'a' -> cut(PyRepr.ascii(value), precision);
      case 'c' -> character(value);
      case 'd', 'i', 'u' -> zeros(PyRepr.digits(integer(type, value, true)), precision);
      case 'x', 'X', 'o' -> based(type, integer(type, value, false), precision, alternate);
      case 'e', 'E', 'f', 'F', 'g', 'G' -> real(type, value, precision, alternate);
      default ->
          throw TemplateException.value(
              "unsupported format character '%s' (0x%x) at index %d"
                  .formatted(type, (int) type, format.codePointCount(0, at - 1)));
    };
  }

  private String text(Object value) {
    return value instanceof Markup markup ? markup.text() : escape.apply(PyRepr.str(value));
  }

  private static String cut(String text, int precision) {
    return precision >= 0 && precision < PyStrings.length(text)
        ? text.substring(0, PyStrings.offset(text, precision))
        : text;
  }

  private static String character(Object value) {
    if (PyNumbers.isInteger(value)) {
      long code = PyNumbers.toIndex(value);
      if (code < 0 || code > Character.MAX_CODE_POINT) {
        throw new TemplateException(Kind.OVERFLOW, "%c arg not in range(0x110000)");
      }
      return Character.toString((int) code);
    }
    if (PyValues.isText(value) && PyStrings.length(PyRepr.str(value)) == 1) {
      return PyRepr.str(value);
    }
    throw TemplateException.type("%c requires int or char");
  }

  private static BigInteger integer(char type, Object value, boolean floats) {
    if (PyNumbers.isInteger(value)) {
      return PyNumbers.big(value);
    }
    if (floats && value instanceof Double number) {
      return PyNumbers.big(PyNumbers.truncate(number));
    }
    PyValues.requireDefined(value);
    throw TemplateException.type(
        "%%%s format: %s required, not %s"
            .formatted(type, floats ? "a real number is" : "an integer is", PyTypes.name(value)));
  }

  private static String zeros(String digits, int precision) {
    boolean negative = digits.startsWith("-");
    var absolute = negative ? digits.substring(1) : digits;
    return (negative ? "-" : "")
        + "0".repeat(Math.max(0, precision - absolute.length()))
        + absolute;
  }

  private static String based(char type, BigInteger value, int precision, boolean alternate) {
    var digits = zeros(value.abs().toString(type == 'o' ? 8 : 16), precision);
    if (type == 'X') {
      digits = digits.toUpperCase(Locale.ROOT);
    }
    return (value.signum() < 0 ? "-" : "") + (alternate ? "0" + type : "") + digits;
  }

  private static String real(char type, Object value, int precision, boolean alternate) {
    PyValues.requireDefined(value);
    if (!PyNumbers.isNumber(value)) {
      throw TemplateException.type("must be real number, not " + PyTypes.name(value));
    }
    double number = PyNumbers.toDouble(value);
    boolean negative = number < 0 || number == 0 && 1 / number < 0;
    double absolute = Math.abs(number);
    int digits = precision < 0 ? 6 : precision;
    String text;
    if (Double.isNaN(number) || Double.isInfinite(number)) {
      text = Double.isNaN(number) ? "nan" : "inf";
    } else {
      text =
          switch (Character.toLowerCase(type)) {
            case 'f' -> NumberText.fixed(absolute, digits);
            case 'e' -> NumberText.exponential(absolute, digits);
            default -> NumberText.general(absolute, digits, alternate, Math.max(1, digits));
          };
      text = alternate && text.indexOf('.') < 0 ? text + "." : text;
    }
    return (negative ? "-" : "")
        + (Character.isUpperCase(type) ? text.toUpperCase(Locale.ROOT) : text);
  }
}
