package dev.vllmmlx.text.jinja;

import java.math.BigInteger;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Truth, equality, order, length, iteration and membership of values, as Python has them. */
final class PyValues {
  private PyValues() {}

  /**
   * Takes a value from Java: numbers to Long, BigInteger or Double, maps to {@link Dict}, and
   * refuses what is none of the types that a template may see.
   */
  static Object fromJava(Object value) {
    return switch (value) {
      case null -> null;
      case String s -> s;
      case Boolean b -> b;
      case Long l -> l;
      case Integer _, Short _, Byte _ -> ((Number) value).longValue();
      case BigInteger big -> PyNumbers.normal(big);
      case Double d -> d;
      case Float f -> (double) f;
      case java.math.BigDecimal decimal -> decimal.doubleValue();
      case Map<?, ?> map -> {
        var dict = new Dict(map.size());
        map.forEach((key, item) -> dict.put(fromJava(key), fromJava(item)));
        yield dict;
      }
      case Range range -> range;
      case List<?> list -> {
        var items = new Object[list.size()];
        int i = 0;
        for (var item : list) {
          items[i++] = fromJava(item);
        }
        yield Collections.unmodifiableList(java.util.Arrays.asList(items));
      }
      case TemplateFunction function -> function;
      case Dict _, Tuple _, Markup _, Undefined _, Namespace _, Dict.View _, PyIterator _ -> value;
      default ->
          throw new IllegalArgumentException(
              "a template cannot hold a " + value.getClass().getName());
    };
  }

  static boolean truth(Object value) {
    return switch (value) {
      case null -> false;
      case Boolean b -> b;
      case Long l -> l != 0;
      case Double d -> d != 0;
      case String s -> !s.isEmpty();
      case Markup m -> !m.text().isEmpty();
      case List<?> list -> !list.isEmpty();
      case Dict dict -> dict.size() > 0;
      case Tuple tuple -> !tuple.items().isEmpty();
      case Undefined _ -> false;
      case Dict.View view -> view.dict().size() > 0;
      case LoopContext loop -> loop.length() > 0;
      default -> true;
    };
  }

  static boolean equal(Object a, Object b) {
    if (a == b) {
      return !PyNumbers.isNaN(a);
    }
    if (a == null || b == null) {
      return false;
    }
    if (a instanceof String x && b instanceof String y) {
      return x.equals(y);
    }
    if (PyNumbers.isNumber(a) && PyNumbers.isNumber(b)) {
      return !PyNumbers.isNaN(a) && !PyNumbers.isNaN(b) && PyNumbers.compare(a, b) == 0;
    }
    if (isText(a) && isText(b)) {
      return PyRepr.str(a).equals(PyRepr.str(b));
    }
    return switch (a) {
      case Range x -> b instanceof Range y && sameItems(x, y);
      case List<?> x -> b instanceof List<?> y && !(b instanceof Range) && sameItems(x, y);
      case Tuple x -> b instanceof Tuple y && sameItems(x.items(), y.items());
      case Dict x -> b instanceof Dict y && sameEntries(x, y);
      case Dict.View x -> b instanceof Dict.View y && sameViews(x, y);
      case Undefined _ -> b instanceof Undefined;
      case BoundMethod x -> x.equals(b);
      default -> false;
    };
  }

  private static boolean sameItems(List<?> a, List<?> b) {
    if (a.size() != b.size()) {
      return false;
    }
    for (int i = 0; i < a.size(); i++) {
      if (!same(a.get(i), b.get(i))) {
        return false;
      }
    }
    return true;
  }

  /** Containers compare by identity first: a NaN equals itself there. */
  private static boolean same(Object a, Object b) {
    return a == b || equal(a, b);
  }

  private static boolean sameEntries(Dict a, Dict b) {
    if (a.size() != b.size()) {
      return false;
    }
    for (var key : a.keys()) {
      var other = b.get(key);
      if (other == Missing.VALUE || !same(a.get(key), other)) {
        return false;
      }
    }
    return true;
  }

  private static boolean sameViews(Dict.View a, Dict.View b) {
    if (a.method().equals("values") || b.method().equals("values")) {
      return false;
    }
    return a.dict().size() == b.dict().size()
        && a.list().stream().allMatch(item -> b.list().stream().anyMatch(o -> same(item, o)));
  }

  static int hash(Object value) {
    return switch (value) {
      case null -> 0;
      case Boolean b -> b ? 1 : 0;
      case Long l -> Long.hashCode(l);
      case Double d ->
          d == Math.rint(d) && Math.abs(d) < 0x1p63
              ? Long.hashCode(d.longValue())
              : Double.hashCode(d);
      case BigInteger big -> Double.hashCode(big.doubleValue());
      case Markup markup -> markup.text().hashCode();
      case Tuple tuple -> {
        int hash = 7;
        for (var item : tuple.items()) {
          hash = 31 * hash + hash(item);
        }
        yield hash;
      }
      default -> Objects.hashCode(value);
    };
  }

  static void requireHashable(Object value) {
    switch (value) {
      case Range _ -> {}
      case List<?> _, Dict _ ->
          throw TemplateException.type("unhashable type: '" + PyTypes.name(value) + "'");
      case Tuple tuple -> tuple.items().forEach(PyValues::requireHashable);
      case null, default -> {}
    }
  }

  /** Whether {@code a < b}. */
  static boolean less(Object a, Object b) {
    return order("<", a, b);
  }

  /** One of {@code < <= > >=}. */
  static boolean order(String operator, Object a, Object b) {
    if (PyNumbers.isNumber(a) && PyNumbers.isNumber(b)) {
      return !PyNumbers.isNaN(a) && !PyNumbers.isNaN(b) && holds(operator, PyNumbers.compare(a, b));
    }
    if (isText(a) && isText(b)) {
      return holds(operator, PyStrings.compare(PyRepr.str(a), PyRepr.str(b)));
    }
    var left = sequence(a);
    var right = sequence(b);
    if (left != null && right != null && a instanceof Tuple == b instanceof Tuple) {
      return orderItems(operator, left, right);
    }
    requireDefined(a);
    requireDefined(b);
    throw TemplateException.type(
        "'%s' not supported between instances of '%s' and '%s'"
            .formatted(operator, PyTypes.name(a), PyTypes.name(b)));
  }

  private static List<?> sequence(Object value) {
    return value instanceof Tuple tuple
        ? tuple.items()
        : value instanceof List<?> list && !(value instanceof Range) ? list : null;
  }

  private static boolean orderItems(String operator, List<?> a, List<?> b) {
    int common = Math.min(a.size(), b.size());
    for (int i = 0; i < common; i++) {
      if (!same(a.get(i), b.get(i))) {
        return order(operator, a.get(i), b.get(i));
      }
    }
    return holds(operator, Integer.compare(a.size(), b.size()));
  }

  private static boolean holds(String operator, int comparison) {
    return switch (operator) {
      case "<" -> comparison < 0;
      case "<=" -> comparison <= 0;
      case ">" -> comparison > 0;
      default -> comparison >= 0;
    };
  }

  static void requireDefined(Object value) {
    if (value instanceof Undefined undefined) {
      throw undefined.failure();
    }
  }

  static boolean isText(Object value) {
    return value instanceof String || value instanceof Markup;
  }

  /** Python's {@code len}. */
  static long length(Object value) {
    long length = lengthOrMinusOne(value);
    if (length < 0) {
      throw TemplateException.type("object of type '" + PyTypes.name(value) + "' has no len()");
    }
    return length;
  }

  static long lengthOrMinusOne(Object value) {
    return switch (value) {
      case String s -> s.codePointCount(0, s.length());
      case Markup m -> m.text().codePointCount(0, m.text().length());
      case List<?> list -> list.size();
      case Tuple tuple -> tuple.items().size();
      case Dict dict -> dict.size();
      case Dict.View view -> view.dict().size();
      case Undefined _ -> 0;
      case LoopContext loop -> loop.length();
      case null, default -> -1;
    };
  }

  /** Python's {@code iter}. */
  static Iterator<Object> iterate(Object value) {
    var iterator = iterateOrNull(value);
    if (iterator == null) {
      throw TemplateException.type("'" + PyTypes.name(value) + "' object is not iterable");
    }
    return iterator;
  }

  @SuppressWarnings("unchecked")
  static Iterator<Object> iterateOrNull(Object value) {
    return switch (value) {
      case List<?> list -> ((List<Object>) list).iterator();
      case Tuple tuple -> tuple.items().iterator();
      case String s -> PyStrings.characters(s).iterator();
      case Markup m -> PyStrings.characters(m.text()).iterator();
      case Dict dict -> dict.keys().iterator();
      case Dict.View view -> view.list().iterator();
      case PyIterator iterator -> iterator;
      case Undefined _ -> Collections.emptyIterator();
      case LoopContext loop -> loop.pairs();
      case null, default -> null;
    };
  }

  /** Python's {@code item in container}. */
  static boolean contains(Object container, Object item) {
    switch (container) {
      case String text -> {
        return text.contains(textIn(item));
      }
      case Markup markup -> {
        return markup.text().contains(textIn(item));
      }
      case Dict dict -> {
        return dict.has(item);
      }
      case Dict.View view when view.method().equals("keys") -> {
        return view.dict().has(item);
      }
      case null, default -> {
        var iterator = iterateOrNull(container);
        if (iterator == null) {
          throw TemplateException.type(
              "argument of type '" + PyTypes.name(container) + "' is not iterable");
        }
        while (iterator.hasNext()) {
          if (same(iterator.next(), item)) {
            return true;
          }
        }
        return false;
      }
    }
  }

  private static String textIn(Object item) {
    if (!isText(item)) {
      throw TemplateException.type(
          "'in <string>' requires string as left operand, not " + PyTypes.name(item));
    }
    return PyRepr.str(item);
  }
}
