package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Signature.Bound;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;

/** What can follow {@code is}. */
final class Tests {
  private Tests() {}

  static Map<String, TemplateFunction> all() {
    var tests = new HashMap<String, TemplateFunction>();
    value(tests, "defined", v -> !(v instanceof Undefined));
    value(tests, "undefined", v -> v instanceof Undefined);
    value(tests, "none", Objects::isNull);
    value(tests, "boolean", v -> v instanceof Boolean);
    value(tests, "true", v -> Boolean.TRUE.equals(v));
    value(tests, "false", v -> Boolean.FALSE.equals(v));
    value(tests, "integer", v -> PyNumbers.isInteger(v) && !(v instanceof Boolean));
    value(tests, "float", v -> v instanceof Double);
    value(tests, "number", PyNumbers::isNumber);
    value(tests, "string", PyValues::isText);
    value(tests, "mapping", v -> v instanceof Dict);
    value(tests, "sequence", Tests::isSequence);
    value(tests, "iterable", v -> PyValues.iterateOrNull(v) != null);
    value(tests, "callable", v -> v instanceof TemplateFunction || v instanceof Undefined);
    value(tests, "escaped", v -> v instanceof Markup);
    value(tests, "lower", v -> PyCase.is("islower", PyRepr.str(v)));
    value(tests, "upper", v -> PyCase.is("isupper", PyRepr.str(v)));
    add(tests, "odd", a -> PyValues.equal(remainder(a, 2L), 1L), "value");
    add(tests, "even", a -> PyValues.equal(remainder(a, 2L), 0L), "value");
    add(tests, "divisibleby", a -> PyValues.equal(remainder(a, a.get(1)), 0L), "value", "num");
    add(tests, "filter", a -> a.evaluation().environment().filter(name(a)) != null, "value");
    add(tests, "test", a -> a.evaluation().environment().test(name(a)) != null, "value");
    add(tests, "sameas", a -> same(a.get(0), a.get(1)), "value", "other");
    add(tests, "in", a -> PyValues.contains(a.get(1), a.get(0)), "value", "seq");
    compare(tests, a -> PyValues.equal(a.get(0), a.get(1)), "==", "eq", "equalto");
    compare(tests, a -> !PyValues.equal(a.get(0), a.get(1)), "!=", "ne");
    compare(tests, a -> PyValues.order(">", a.get(0), a.get(1)), ">", "gt", "greaterthan");
    compare(tests, a -> PyValues.order(">=", a.get(0), a.get(1)), ">=", "ge");
    compare(tests, a -> PyValues.order("<", a.get(0), a.get(1)), "<", "lt", "lessthan");
    compare(tests, a -> PyValues.order("<=", a.get(0), a.get(1)), "<=", "le");
    return Map.copyOf(tests);
  }

  private static void value(
      Map<String, TemplateFunction> tests, String name, Predicate<Object> test) {
    add(tests, name, a -> test.test(a.get(0)), "value");
  }

  private static void add(
      Map<String, TemplateFunction> tests,
      String name,
      Predicate<Bound> test,
      String... parameters) {
    tests.put(name, Signature.of("test_" + name, parameters).with(test::test));
  }

  private static void compare(
      Map<String, TemplateFunction> tests, Predicate<Bound> test, String... names) {
    for (var name : names) {
      tests.put(name, Signature.positional(names[1], "a", "b").with(test::test));
    }
  }

  private static String name(Bound arguments) {
    PyValues.requireHashable(arguments.get(0));
    return arguments.get(0) instanceof String name ? name : "";
  }

  private static Object remainder(Bound arguments, Object divisor) {
    return new PyArithmetic(arguments.evaluation()).modulo(arguments.get(0), divisor);
  }

  private static boolean isSequence(Object value) {
    return switch (value) {
      case String _, Markup _, List<?> _, Tuple _, Dict _, Undefined _ -> true;
      case null, default -> false;
    };
  }

  /** Identity; equal numbers and strings of one type count as the same object. */
  private static boolean same(Object a, Object b) {
    if (a == b) {
      return true;
    }
    boolean scalar = a instanceof Number || a instanceof Boolean || a instanceof String;
    return scalar && a.equals(b);
  }
}
