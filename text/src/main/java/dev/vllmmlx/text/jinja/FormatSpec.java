package dev.vllmmlx.text.jinja;

import java.math.BigInteger;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Python's format specification: {@code [[fill]align][sign][z][#][0][width][,_][.precision][type]}.
 */
final class FormatSpec {
  private static final Pattern SPEC =
      Pattern.compile("(?s)(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\\d+)?([,_])?(?:\\.(\\d+))?(.)?");

  private final Evaluation evaluation;
  private final String spec;
  private final String fill;
  private final char align;
  private final String sign;
  private final boolean alternate;
  private final boolean zero;
  private final int width;
  private final String grouping;
  private final int precision;
  private final char type;

  private FormatSpec(Evaluation evaluation, String spec, Object value) {
    var matcher = SPEC.matcher(spec);
    if (!matcher.matches()) {
      throw TemplateException.value(
          "Invalid format specifier '%s' for object of type '%s'"
              .formatted(spec, PyTypes.name(value)));
    }
    this.evaluation = evaluation;
    this.spec = spec;
    zero = matcher.group(6) != null;
    fill =
        matcher.group(1) != null ? matcher.group(1) : zero && matcher.group(2) == null ? "0" : " ";
    align = matcher.group(2) != null ? matcher.group(2).charAt(0) : 0;
    sign = matcher.group(3) == null ? "-" : matcher.group(3);
    alternate = matcher.group(5) != null;
    width = number(matcher.group(7));
    grouping = matcher.group(8) == null ? "" : matcher.group(8);
    precision = number(matcher.group(9));
    type = matcher.group(10) == null ? 0 : matcher.group(10).charAt(0);
    evaluation.allocate(Math.max(width, precision));
  }

  private static int number(String digits) {
    if (digits == null) {
      return -1;
    }
    if (digits.length() > 9) {
      throw TemplateException.value("Too many decimal digits in format string");
    }
    return Integer.parseInt(digits);
  }

  static String format(Evaluation evaluation, Object value, String spec) {
    if (spec.isEmpty()) {
      return PyRepr.str(value);
    }
    return switch (value) {
      case String text -> new FormatSpec(evaluation, spec, value).text(text);
      case Markup markup -> new FormatSpec(evaluation, spec, value).text(markup.text());
      case Double number -> new FormatSpec(evaluation, spec, value).real(number, value);
      case Boolean _, Long _, BigInteger _ ->
          new FormatSpec(evaluation, spec, value).integer(PyNumbers.big(value), value);
      case null, default ->
          throw TemplateException.type(
              "unsupported format string passed to " + PyTypes.name(value) + ".__format__");
    };
  }

  private TemplateException unknownType(Object value) {
    return TemplateException.value(
        "Unknown format code '%s' for object of type '%s'".formatted(type, PyTypes.name(value)));
  }

  private String text(String text) {
    if (type != 0 && type != 's') {
      throw unknownType(text);
    }
    if (align == '=') {
      throw TemplateException.value("'=' alignment not allowed in string format specifier");
    }
    if (!sign.equals("-") || spec.startsWith("-")) {
      throw TemplateException.value("Sign not allowed in string format specifier");
    }
    if (alternate) {
      throw TemplateException.value("Alternate form (#) not allowed in string format specifier");
    }
    if (!grouping.isEmpty()) {
      throw TemplateException.value("Cannot specify '" + grouping + "' with 's'.");
    }
    boolean cut = precision >= 0 && precision < PyStrings.length(text);
    return pad("", cut ? text.substring(0, PyStrings.offset(text, precision)) : text, '<');
  }

  private String integer(BigInteger value, Object original) {
    switch (type) {
      case 'e', 'E', 'f', 'F', 'g', 'G', '%' -> {
        return real(PyNumbers.toDouble(original), original);
      }
      case 'c' -> {
        return pad("", Character.toString(value.intValue()), '<');
      }
      case 0, 'd', 'n', 'b', 'o', 'x', 'X' -> {}
      default -> throw unknownType(original);
    }
    if (precision >= 0) {
      throw TemplateException.value("Precision not allowed in integer format specifier");
    }
    if (type == 0 && original instanceof Boolean && spec.isEmpty()) {
      return PyRepr.str(original);
    }
    var absolute = value.abs();
    var digits =
        switch (type) {
          case 'b' -> absolute.toString(2);
          case 'o' -> absolute.toString(8);
          case 'x' -> absolute.toString(16);
          case 'X' -> absolute.toString(16).toUpperCase(Locale.ROOT);
          default -> PyRepr.digits(absolute);
        };
    var prefix = alternate && "boxX".indexOf(type) >= 0 ? "0" + type : "";
    int group = type == 0 || type == 'd' || type == 'n' ? 3 : 4;
    return number(signOf(value.signum() < 0) + prefix, digits, "", group);
  }

  private String real(double value, Object original) {
    boolean upper = type == 'E' || type == 'F' || type == 'G';
    boolean negative = value < 0 || value == 0 && 1 / value < 0;
    double absolute = Math.abs(value);
    int digits = precision < 0 ? 6 : precision;
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      var name = Double.isNaN(value) ? "nan" : "inf";
      name = type == '%' ? name + "%" : name;
      return number(signOf(negative), upper ? name.toUpperCase(Locale.ROOT) : name, "", 3);
    }
    var text =
        switch (type) {
          case 'f', 'F' -> NumberText.fixed(absolute, digits);
          case 'e', 'E' -> NumberText.exponential(absolute, digits);
          case 'g', 'G', 'n' ->
              NumberText.general(absolute, digits, alternate, Math.max(1, digits));
          case '%' -> NumberText.fixed(absolute * 100, digits) + "%";
          case 0 -> precision < 0 ? PyRepr.number(absolute) : plain(absolute);
          default -> throw unknownType(original);
        };
    if (upper) {
      text = text.toUpperCase(Locale.ROOT);
    }
    int end = 0;
    while (end < text.length() && Character.isDigit(text.charAt(end))) {
      end++;
    }
    var rest = text.substring(end);
    if (alternate && rest.indexOf('.') < 0) {
      rest = "." + rest;
    }
    return number(signOf(negative), text.substring(0, end), rest, 3);
  }

  /** A precision without a type: like {@code g}, but never without a point. */
  private String plain(double value) {
    int digits = Math.max(1, precision);
    var text = NumberText.general(value, digits, false, digits == 1 ? 1 : digits);
    boolean bare = text.indexOf('.') < 0 && text.indexOf('e') < 0;
    if (bare && text.length() >= digits) {
      return NumberText.general(value, digits, false, 0);
    }
    return bare ? text + ".0" : text;
  }

  private String signOf(boolean negative) {
    return negative ? "-" : sign.equals("-") ? "" : sign;
  }

  /** Puts together a number, with separators between digits and padding after the sign. */
  private String number(String prefix, String digits, String rest, int group) {
    var body = digits;
    boolean padInside = "0".equals(fill) && (align == '=' || align == 0 && zero);
    if (!grouping.isEmpty()) {
      int room = padInside ? width - prefix.length() - rest.length() : 0;
      body = grouped(digits, group, room);
    }
    char defaultAlign = zero && align == 0 ? '=' : '>';
    return pad(prefix, body + rest, defaultAlign);
  }

  private String grouped(String digits, int group, int room) {
    var padded = new StringBuilder(digits);
    var text = withSeparators(digits, group);
    while (text.length() < room) {
      padded.insert(0, '0');
      text = withSeparators(padded.toString(), group);
    }
    return text;
  }

  private String withSeparators(String digits, int group) {
    var out = new StringBuilder();
    for (int i = 0; i < digits.length(); i++) {
      if (i > 0 && (digits.length() - i) % group == 0) {
        out.append(grouping);
      }
      out.append(digits.charAt(i));
    }
    return out.toString();
  }

  private String pad(String prefix, String body, char defaultAlign) {
    int missing = width - PyStrings.length(prefix) - PyStrings.length(body);
    if (missing <= 0) {
      return prefix + body;
    }
    evaluation.allocate(width);
    return switch (align == 0 ? defaultAlign : align) {
      case '<' -> prefix + body + fill.repeat(missing);
      case '=' -> prefix + fill.repeat(missing) + body;
      case '^' -> fill.repeat(missing / 2) + prefix + body + fill.repeat(missing - missing / 2);
      default -> fill.repeat(missing) + prefix + body;
    };
  }
}
