package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.TemplateException.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The binary and unary operators. */
final class PyArithmetic {
  private final Evaluation evaluation;

  PyArithmetic(Evaluation evaluation) {
    this.evaluation = evaluation;
  }

  Object binary(TokenType operator, Object a, Object b) {
    return switch (operator) {
      case ADD -> add(a, b);
      case SUB -> subtract(a, b);
      case MUL -> multiply(a, b);
      case DIV -> divide(a, b);
      case FLOORDIV -> floorDivide(a, b);
      case MOD -> modulo(a, b);
      case POW -> power(a, b);
      default -> throw new IllegalArgumentException(operator.name());
    };
  }

  Object negate(Object value) {
    return switch (value) {
      case Long l when l != Long.MIN_VALUE -> -l;
      case Double d -> -d;
      case Boolean b -> b ? -1L : 0L;
      case Long _, BigInteger _ -> PyNumbers.normal(PyNumbers.big(value).negate());
      case null, default -> throw badUnary("-", value);
    };
  }

  Object positive(Object value) {
    return switch (value) {
      case Long _, Double _, BigInteger _ -> value;
      case Boolean b -> b ? 1L : 0L;
      case null, default -> throw badUnary("+", value);
    };
  }

  private static TemplateException badUnary(String operator, Object value) {
    PyValues.requireDefined(value);
    return TemplateException.type(
        "bad operand type for unary " + operator + ": '" + PyTypes.name(value) + "'");
  }

  private static TemplateException unsupported(String operator, Object a, Object b) {
    PyValues.requireDefined(a);
    PyValues.requireDefined(b);
    return TemplateException.type(
        "unsupported operand type(s) for %s: '%s' and '%s'"
            .formatted(operator, PyTypes.name(a), PyTypes.name(b)));
  }

  Object add(Object a, Object b) {
    if (a instanceof Long x && b instanceof Long y) {
      long sum = x + y;
      return ((x ^ sum) & (y ^ sum)) < 0
          ? (Object) BigInteger.valueOf(x).add(BigInteger.valueOf(y))
          : sum;
    }
    if (a instanceof String x && b instanceof String y) {
      evaluation.allocate((long) x.length() + y.length());
      return x.concat(y);
    }
    if (PyNumbers.isNumber(a) && PyNumbers.isNumber(b)) {
      return a instanceof Double || b instanceof Double
          ? (Object) (PyNumbers.toDouble(a) + PyNumbers.toDouble(b))
          : normal(PyNumbers.big(a).add(PyNumbers.big(b)));
    }
    if (PyValues.isText(a) && PyValues.isText(b)) {
      var text = Markup.escape(a).text() + Markup.escape(b).text();
      evaluation.allocate(text.length());
      return new Markup(text);
    }
    if (a instanceof Tuple x && b instanceof Tuple y) {
      return Tuple.of(concatenate(x.items(), y.items()));
    }
    if (isList(a) && isList(b)) {
      return concatenate((List<?>) a, (List<?>) b);
    }
    return addMismatch(a, b);
  }

  private static Object addMismatch(Object a, Object b) {
    PyValues.requireDefined(a);
    PyValues.requireDefined(b);
    if (a instanceof String) {
      throw TemplateException.type(
          "can only concatenate str (not \"" + PyTypes.name(b) + "\") to str");
    }
    if (isList(a) || a instanceof Tuple) {
      var name = isList(a) ? "list" : "tuple";
      throw TemplateException.type(
          "can only concatenate " + name + " (not \"" + PyTypes.name(b) + "\") to " + name);
    }
    throw unsupported("+", a, b);
  }

  private static boolean isList(Object value) {
    return value instanceof List<?> && !(value instanceof Range);
  }

  private List<Object> concatenate(List<?> a, List<?> b) {
    evaluation.allocate((long) a.size() + b.size());
    var items = new ArrayList<Object>(a.size() + b.size());
    items.addAll(a);
    items.addAll(b);
    return Collections.unmodifiableList(items);
  }

  private Object normal(BigInteger value) {
    if (value.bitLength() > evaluation.limits().integerBits()) {
      throw tooLarge();
    }
    return PyNumbers.normal(value);
  }

  private TemplateException tooLarge() {
    return TemplateException.limit(
        "an integer would have more than " + evaluation.limits().integerBits() + " bits");
  }

  private Object subtract(Object a, Object b) {
    if (a instanceof Long x && b instanceof Long y) {
      long difference = x - y;
      return ((x ^ y) & (x ^ difference)) < 0
          ? (Object) BigInteger.valueOf(x).subtract(BigInteger.valueOf(y))
          : difference;
    }
    if (PyNumbers.isNumber(a) && PyNumbers.isNumber(b)) {
      return a instanceof Double || b instanceof Double
          ? (Object) (PyNumbers.toDouble(a) - PyNumbers.toDouble(b))
          : normal(PyNumbers.big(a).subtract(PyNumbers.big(b)));
    }
    if (isSetLike(a) && isSetLike(b)) {
      throw TemplateException.type("sets are not supported");
    }
    throw unsupported("-", a, b);
  }

  private static boolean isSetLike(Object value) {
    return value instanceof Dict.View view && !view.method().equals("values");
  }

  private Object multiply(Object a, Object b) {
    if (PyNumbers.isNumber(a) && PyNumbers.isNumber(b)) {
      return a instanceof Double || b instanceof Double
          ? (Object) (PyNumbers.toDouble(a) * PyNumbers.toDouble(b))
          : normal(PyNumbers.big(a).multiply(PyNumbers.big(b)));
    }
    boolean left = isRepeatable(a);
    if (left || isRepeatable(b)) {
      var sequence = left ? a : b;
      var count = left ? b : a;
      PyValues.requireDefined(count);
      if (!PyNumbers.isInteger(count)) {
        throw TemplateException.type(
            "can't multiply sequence by non-int of type '" + PyTypes.name(count) + "'");
      }
      if (count instanceof BigInteger) {
        throw new TemplateException(Kind.OVERFLOW, "cannot fit 'int' into an index-sized integer");
      }
      return repeat(sequence, Math.max(0, PyNumbers.toIndex(count)));
    }
    throw unsupported("*", a, b);
  }

  private static boolean isRepeatable(Object value) {
    return PyValues.isText(value) || isList(value) || value instanceof Tuple;
  }

  private Object repeat(Object sequence, long count) {
    return switch (sequence) {
      case String text -> text.repeat(size(text.length(), count));
      case Markup markup -> new Markup(markup.text().repeat(size(markup.text().length(), count)));
      case Tuple tuple -> Tuple.of(repeatItems(tuple.items(), count));
      default -> repeatItems((List<?>) sequence, count);
    };
  }

  private int size(int length, long count) {
    boolean tooMuch = count > Integer.MAX_VALUE;
    evaluation.allocate(length == 0 ? 0 : tooMuch ? Long.MAX_VALUE : length * count);
    return length == 0 ? 0 : (int) count;
  }

  private List<Object> repeatItems(List<?> items, long count) {
    int times = size(items.size(), count);
    var repeated = new ArrayList<Object>(items.size() * times);
    for (int i = 0; i < times; i++) {
      repeated.addAll(items);
    }
    return Collections.unmodifiableList(repeated);
  }

  private Object divide(Object a, Object b) {
    if (!PyNumbers.isNumber(a) || !PyNumbers.isNumber(b)) {
      throw unsupported("/", a, b);
    }
    boolean floats = a instanceof Double || b instanceof Double;
    if (!floats && (a instanceof BigInteger || b instanceof BigInteger)) {
      return divideBig(PyNumbers.big(a), PyNumbers.big(b));
    }
    double divisor = PyNumbers.toDouble(b);
    if (divisor == 0) {
      throw zeroDivision(floats ? "float division by zero" : "division by zero");
    }
    if (!floats) {
      return divideBig(PyNumbers.big(a), PyNumbers.big(b));
    }
    return PyNumbers.toDouble(a) / divisor;
  }

  /** The float nearest to the exact quotient. */
  private static Object divideBig(BigInteger a, BigInteger b) {
    if (b.signum() == 0) {
      throw zeroDivision("division by zero");
    }
    if (a.bitLength() <= 53 && b.bitLength() <= 53) {
      return a.doubleValue() / b.doubleValue();
    }
    var quotient =
        new java.math.BigDecimal(a)
            .divide(new java.math.BigDecimal(b), new java.math.MathContext(800))
            .doubleValue();
    if (Double.isInfinite(quotient)) {
      throw new TemplateException(Kind.OVERFLOW, "integer division result too large for a float");
    }
    return quotient;
  }

  private static TemplateException zeroDivision(String message) {
    return new TemplateException(Kind.ZERO_DIVISION, message);
  }

  private Object floorDivide(Object a, Object b) {
    if (!PyNumbers.isNumber(a) || !PyNumbers.isNumber(b)) {
      throw unsupported("//", a, b);
    }
    if (a instanceof Double || b instanceof Double) {
      double divisor = PyNumbers.toDouble(b);
      if (divisor == 0) {
        throw zeroDivision("float floor division by zero");
      }
      return floorDivide(PyNumbers.toDouble(a), divisor);
    }
    var divisor = PyNumbers.big(b);
    if (divisor.signum() == 0) {
      throw zeroDivision("integer division or modulo by zero");
    }
    var parts = PyNumbers.big(a).divideAndRemainder(divisor);
    boolean down = parts[1].signum() != 0 && parts[1].signum() != divisor.signum();
    return normal(down ? parts[0].subtract(BigInteger.ONE) : parts[0]);
  }

  private static double floorDivide(double a, double b) {
    double remainder = a % b;
    double quotient = (a - remainder) / b;
    if (remainder != 0 && b < 0 != remainder < 0) {
      quotient -= 1;
    }
    if (quotient == 0) {
      return Math.copySign(0.0, a / b);
    }
    double floor = Math.floor(quotient);
    return quotient - floor > 0.5 ? floor + 1 : floor;
  }

  Object modulo(Object a, Object b) {
    if (PyValues.isText(a)) {
      return a instanceof Markup markup
          ? new Markup(PercentFormat.formatMarkup(evaluation, markup.text(), b))
          : PercentFormat.format(evaluation, (String) a, b);
    }
    if (!PyNumbers.isNumber(a) || !PyNumbers.isNumber(b)) {
      throw unsupported("%", a, b);
    }
    if (a instanceof Double || b instanceof Double) {
      double divisor = PyNumbers.toDouble(b);
      if (divisor == 0) {
        throw zeroDivision("float modulo");
      }
      double remainder = PyNumbers.toDouble(a) % divisor;
      if (remainder == 0) {
        return Math.copySign(0.0, divisor);
      }
      return divisor < 0 != remainder < 0 ? remainder + divisor : remainder;
    }
    var divisor = PyNumbers.big(b);
    if (divisor.signum() == 0) {
      throw zeroDivision("integer modulo by zero");
    }
    var remainder = PyNumbers.big(a).mod(divisor.abs());
    return normal(
        divisor.signum() < 0 && remainder.signum() != 0 ? remainder.add(divisor) : remainder);
  }

  private Object power(Object a, Object b) {
    if (!PyNumbers.isNumber(a) || !PyNumbers.isNumber(b)) {
      throw unsupported("** or pow()", a, b);
    }
    boolean floats = a instanceof Double || b instanceof Double;
    if (!floats && PyNumbers.big(b).signum() >= 0) {
      return integerPower(PyNumbers.big(a), PyNumbers.big(b));
    }
    double base = PyNumbers.toDouble(a);
    double exponent = PyNumbers.toDouble(b);
    if (base == 0 && exponent < 0) {
      throw zeroDivision("0.0 cannot be raised to a negative power");
    }
    if (base < 0 && exponent != Math.rint(exponent) && !Double.isInfinite(base)) {
      throw TemplateException.type("complex numbers are not supported");
    }
    if (base == 1 || exponent == 0 || base == -1 && Double.isInfinite(exponent)) {
      return 1.0;
    }
    double result = Math.pow(base, exponent);
    if (Double.isInfinite(result) && !Double.isInfinite(base) && !Double.isInfinite(exponent)) {
      throw new TemplateException(Kind.OVERFLOW, "(34, 'Numerical result out of range')");
    }
    return result;
  }

  private Object integerPower(BigInteger base, BigInteger exponent) {
    if (base.bitLength() <= 1 && base.abs().compareTo(BigInteger.ONE) <= 0) {
      boolean odd = exponent.testBit(0);
      return base.signum() == 0
          ? (exponent.signum() == 0 ? 1L : 0L)
          : (base.signum() < 0 && odd ? -1L : 1L);
    }
    if (exponent.bitLength() > 31
        || (base.bitLength() - 1L) * exponent.longValue() > evaluation.limits().integerBits()) {
      throw tooLarge();
    }
    return normal(base.pow(exponent.intValue()));
  }
}
