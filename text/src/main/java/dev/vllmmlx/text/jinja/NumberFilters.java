package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Signature.Bound;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;

/** Filters of numbers. */
final class NumberFilters {
  private NumberFilters() {}

  static void addTo(Map<String, TemplateFunction> filters) {
    filters.put("abs", Signature.positional("abs", "x").with(a -> absolute(a.get(0))));
    filters.put(
        "int", Signature.of("do_int", "value", "default=", "base=").with(NumberFilters::integer));
    filters.put("float", Signature.of("do_float", "value", "default=").with(NumberFilters::real));
    filters.put(
        "round",
        Signature.of("do_round", "value", "precision=", "method=").with(NumberFilters::round));
    filters.put(
        "filesizeformat",
        Signature.of("do_filesizeformat", "value", "binary=").with(NumberFilters::fileSize));
  }

  private static Object absolute(Object value) {
    return switch (value) {
      case Double number -> Math.abs(number);
      case Long _, Boolean _, BigInteger _ -> PyNumbers.normal(PyNumbers.big(value).abs());
      case null, default ->
          throw TemplateException.type("bad operand type for abs(): '" + PyTypes.name(value) + "'");
    };
  }

  private static Object integer(Bound arguments) {
    var value = arguments.get(0);
    var fallback = arguments.get(1, 0L);
    PyValues.requireDefined(value);
    if (PyValues.isText(value)) {
      long base = arguments.integer(2, 10);
      boolean valid = base == 0 || base >= 2 && base <= 36;
      var parsed = valid ? PyNumbers.parseInt(arguments.text(0), (int) base) : null;
      if (parsed != null) {
        return parsed;
      }
      var number = PyNumbers.parseFloat(arguments.text(0));
      return number == null || number.isNaN() || number.isInfinite()
          ? fallback
          : PyNumbers.truncate(number);
    }
    if (value instanceof Double number) {
      if (number.isInfinite()) {
        return PyNumbers.truncate(number);
      }
      return number.isNaN() ? fallback : PyNumbers.truncate(number);
    }
    return PyNumbers.isInteger(value) ? PyNumbers.normal(PyNumbers.big(value)) : fallback;
  }

  private static Object real(Bound arguments) {
    var value = arguments.get(0);
    var fallback = arguments.get(1, 0.0);
    PyValues.requireDefined(value);
    if (PyValues.isText(value)) {
      var number = PyNumbers.parseFloat(arguments.text(0));
      return number == null ? fallback : number;
    }
    return PyNumbers.isNumber(value) ? PyNumbers.toDouble(value) : fallback;
  }

  private static Object round(Bound arguments) {
    var value = arguments.get(0);
    var method = arguments.get(2, "common");
    if (!List.of("common", "ceil", "floor").contains(method)) {
      throw new TemplateException(
          TemplateException.Kind.FILTER_ARGUMENT, "method must be common, ceil or floor");
    }
    boolean toNone = arguments.get(1, 0L) == null;
    if (!PyNumbers.isNumber(value)) {
      throw notReal(arguments, method);
    }
    if (!method.equals("common")) {
      return roundTo(arguments, value, method.equals("ceil"));
    }
    if (toNone) {
      return value instanceof Double number
          ? PyNumbers.truncate(Math.rint(number))
          : PyNumbers.normal(PyNumbers.big(value));
    }
    long precision = arguments.integer(1, 0);
    return value instanceof Double number
        ? (Object) round(number, precision)
        : roundInteger(PyNumbers.big(value), precision);
  }

  private static TemplateException notReal(Bound arguments, Object method) {
    var type = PyTypes.name(arguments.get(0));
    if (method.equals("common")) {
      return TemplateException.type("type " + type + " doesn't define __round__ method");
    }
    var arithmetic = new PyArithmetic(arguments.evaluation());
    arithmetic.binary(TokenType.MUL, arguments.get(0), 1L);
    return TemplateException.type("must be real number, not " + type);
  }

  private static double round(double value, long precision) {
    if (Double.isNaN(value) || Double.isInfinite(value) || precision > 323) {
      return value;
    }
    if (precision < -308) {
      return Math.copySign(0.0, value);
    }
    double rounded =
        new BigDecimal(value).setScale((int) precision, RoundingMode.HALF_EVEN).doubleValue();
    if (Double.isInfinite(rounded)) {
      throw new TemplateException(
          TemplateException.Kind.OVERFLOW, "rounded value too large to represent");
    }
    return Math.copySign(rounded, value);
  }

  private static Object roundInteger(BigInteger value, long precision) {
    if (precision >= 0) {
      return PyNumbers.normal(value);
    }
    if (-precision > value.bitLength()) {
      return 0L;
    }
    return PyNumbers.normal(
        new BigDecimal(value).setScale((int) precision, RoundingMode.HALF_EVEN).toBigInteger());
  }

  private static Object roundTo(Bound arguments, Object value, boolean up) {
    var arithmetic = new PyArithmetic(arguments.evaluation());
    var scale = arithmetic.binary(TokenType.POW, 10L, arguments.get(1, 0L));
    var scaled = arithmetic.binary(TokenType.MUL, value, scale);
    Object whole = scaled;
    if (scaled instanceof Double number) {
      whole = PyNumbers.truncate(up ? Math.ceil(number) : Math.floor(number));
    }
    return arithmetic.binary(TokenType.DIV, whole, scale);
  }

  private static Object fileSize(Bound arguments) {
    var value = arguments.get(0);
    PyValues.requireDefined(value);
    Double parsed = PyValues.isText(value) ? PyNumbers.parseFloat(arguments.text(0)) : null;
    if (parsed == null && PyValues.isText(value)) {
      throw TemplateException.value(
          "could not convert string to float: " + PyRepr.repr(arguments.text(0)));
    }
    if (parsed == null && !PyNumbers.isNumber(value)) {
      throw TemplateException.type(
          "float() argument must be a string or a real number, not '" + PyTypes.name(value) + "'");
    }
    double bytes = parsed == null ? PyNumbers.toDouble(value) : parsed;
    boolean binary = arguments.truth(1, false);
    double base = binary ? 1024 : 1000;
    if (bytes == 1) {
      return "1 Byte";
    }
    if (bytes < base) {
      return PyRepr.str(PyNumbers.truncate(bytes)) + " Bytes";
    }
    var prefixes = "kMGTPEZY";
    double unit = base;
    for (int i = 0; ; i++) {
      unit *= base;
      if (bytes < unit || i == prefixes.length() - 1) {
        char prefix = prefixes.charAt(i);
        var name = binary ? Character.toUpperCase(prefix) + "iB" : prefix + "B";
        return NumberText.fixed(base * bytes / unit, 1) + " " + name;
      }
    }
  }
}
