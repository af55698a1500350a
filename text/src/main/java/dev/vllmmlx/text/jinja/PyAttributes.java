package dev.vllmmlx.text.jinja;

import java.math.BigInteger;
import java.util.List;
import java.util.Set;

/**
 * {@code object.name} and {@code object[key]} as the immutable sandbox gives them out: nothing that
 * starts with an underscore, nothing that changes a value.
 */
final class PyAttributes {
  private static final Set<String> OF_EVERY_OBJECT =
      Set.of(
          "__class__",
          "__delattr__",
          "__dir__",
          "__doc__",
          "__eq__",
          "__format__",
          "__ge__",
          "__getattribute__",
          "__getstate__",
          "__gt__",
          "__hash__",
          "__init__",
          "__init_subclass__",
          "__le__",
          "__lt__",
          "__ne__",
          "__new__",
          "__reduce__",
          "__reduce_ex__",
          "__repr__",
          "__setattr__",
          "__sizeof__",
          "__str__",
          "__subclasshook__");
  private static final Set<String> OF_EVERY_FUNCTION =
      Set.of("__call__", "__name__", "__qualname__", "__module__", "__self__", "__globals__");
  private static final Set<String> CHANGES_LIST =
      Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");
  private static final Set<String> CHANGES_DICT =
      Set.of("clear", "pop", "popitem", "setdefault", "update");

  private PyAttributes() {}

  /** {@code object.name}: the attribute first, then the item. */
  static Object attribute(Object object, String name) {
    if (!OF_EVERY_OBJECT.contains(name)) {
      PyValues.requireDefined(object);
    }
    var found = find(object, name);
    if (found == Missing.VALUE) {
      found = itemOrMissing(object, name);
    }
    return found == Missing.VALUE ? Undefined.of(object, name) : found;
  }

  /** {@code object[key]}: the item first, then the attribute. */
  static Object item(Object object, Object key) {
    PyValues.requireDefined(object);
    var found = itemOrMissing(object, key);
    if (found == Missing.VALUE && PyValues.isText(key)) {
      found = find(object, PyRepr.str(key));
    }
    return found == Missing.VALUE ? Undefined.of(object, key) : found;
  }

  /** What the {@code attr} filter gives: the attribute only. */
  static Object attributeOnly(Object object, String name) {
    PyValues.requireDefined(object);
    var found = find(object, name);
    return found == Missing.VALUE ? Undefined.of(object, name) : found;
  }

  private static Object itemOrMissing(Object object, Object key) {
    return switch (object) {
      case Dict dict -> isHashable(key) ? dict.get(key) : Missing.VALUE;
      case String _, Markup _, Tuple _, List<?> _ ->
          PyNumbers.isInteger(key) ? PySlices.item(object, key) : Missing.VALUE;
      case BlockReference.Blocks blocks -> blocks.get(key);
      case null, default -> Missing.VALUE;
    };
  }

  private static boolean isHashable(Object key) {
    return switch (key) {
      case Range _ -> true;
      case List<?> _, Dict _ -> false;
      case Tuple tuple -> tuple.items().stream().allMatch(PyAttributes::isHashable);
      case null, default -> true;
    };
  }

  private static Object find(Object object, String name) {
    boolean internal =
        OF_EVERY_OBJECT.contains(name)
            || object instanceof TemplateFunction && OF_EVERY_FUNCTION.contains(name);
    if (internal && !(object instanceof Namespace)) {
      return Undefined.unsafe(object, name);
    }
    var found =
        switch (object) {
          case String text -> method(object, name, StringMethods.of(text, name));
          case Markup markup -> method(object, name, StringMethods.of(markup, name));
          case Dict dict -> ofDict(dict, name);
          case Namespace namespace -> namespace.attributes().get(name);
          case Range range -> ofRange(range, name);
          case List<?> list -> ofList(list, list, name);
          case Tuple tuple -> ofTuple(tuple, name);
          case LoopContext loop -> loop.attribute(name);
          case Macro macro -> macro.attribute(name);
          case Cycler cycler -> cycler.attribute(name);
          case Joiner joiner -> joiner.attribute(name);
          case Long _, Boolean _, BigInteger _ -> ofInteger(object, name);
          case Double number -> ofFloat(number, name);
          case null, default -> Missing.VALUE;
        };
    return found != Missing.VALUE && name.startsWith("_") ? Undefined.unsafe(object, name) : found;
  }

  private static Object method(Object self, String name, TemplateFunction function) {
    return function == null ? Missing.VALUE : new BoundMethod(self, name, function);
  }

  private static Object ofDict(Dict dict, String name) {
    if (CHANGES_DICT.contains(name)) {
      return Undefined.unsafe(dict, name);
    }
    return switch (name) {
      case "keys", "values", "items" ->
          method(dict, name, Signature.positional(name).with(_ -> new Dict.View(dict, name)));
      case "get" ->
          method(
              dict,
              name,
              Signature.positional(name, "key", "default=")
                  .with(
                      a -> {
                        var value = dict.get(a.get(0));
                        return value == Missing.VALUE ? a.get(1, null) : value;
                      }));
      case "copy" -> method(dict, name, Signature.positional(name).with(_ -> dict));
      default -> Missing.VALUE;
    };
  }

  private static Object ofRange(Range range, String name) {
    return switch (name) {
      case "start", "stop", "step" -> range.bound(name);
      default -> ofItems(range, range, name);
    };
  }

  private static Object ofList(Object self, List<?> items, String name) {
    if (CHANGES_LIST.contains(name)) {
      return Undefined.unsafe(self, name);
    }
    return name.equals("copy")
        ? method(self, name, Signature.positional(name).with(_ -> self))
        : ofItems(self, items, name);
  }

  private static Object ofTuple(Tuple tuple, String name) {
    if (tuple.group()) {
      switch (name) {
        case "grouper" -> {
          return tuple.items().get(0);
        }
        case "list" -> {
          return tuple.items().get(1);
        }
        default -> {}
      }
    }
    return ofItems(tuple, tuple.items(), name);
  }

  private static Object ofItems(Object self, List<?> items, String name) {
    return switch (name) {
      case "count" ->
          method(
              self,
              name,
              Signature.positional(name, "value")
                  .with(a -> items.stream().filter(i -> PyValues.equal(i, a.get(0))).count()));
      case "index" ->
          method(
              self,
              name,
              Signature.positional(name, "value", "start=", "stop=")
                  .with(a -> indexOf(self, items, a)));
      default -> Missing.VALUE;
    };
  }

  private static Object indexOf(Object self, List<?> items, Signature.Bound arguments) {
    long size = items.size();
    long start = arguments.integer(1, 0);
    long stop = arguments.integer(2, size);
    start = Math.max(0, start < 0 ? start + size : start);
    stop = Math.min(size, stop < 0 ? stop + size : stop);
    for (long i = start; i < stop; i++) {
      if (PyValues.equal(items.get((int) i), arguments.get(0))) {
        return i;
      }
    }
    throw TemplateException.value(
        self instanceof Tuple
            ? "tuple.index(x): x not in tuple"
            : PyRepr.repr(arguments.get(0)) + " is not in " + PyTypes.name(self));
  }

  private static Object ofInteger(Object integer, String name) {
    var big = PyNumbers.big(integer);
    return switch (name) {
      case "real", "numerator" -> PyNumbers.normal(big);
      case "imag" -> 0L;
      case "denominator" -> 1L;
      case "bit_length" ->
          method(integer, name, Signature.positional(name).with(_ -> (long) big.abs().bitLength()));
      case "bit_count" ->
          method(integer, name, Signature.positional(name).with(_ -> (long) big.abs().bitCount()));
      case "conjugate" ->
          method(integer, name, Signature.positional(name).with(_ -> PyNumbers.normal(big)));
      case "as_integer_ratio" ->
          method(
              integer,
              name,
              Signature.positional(name).with(_ -> Tuple.of(PyNumbers.normal(big), 1L)));
      default -> Missing.VALUE;
    };
  }

  private static Object ofFloat(double number, String name) {
    return switch (name) {
      case "real" -> number;
      case "imag" -> 0.0;
      case "is_integer" ->
          method(
              number,
              name,
              Signature.positional(name)
                  .with(_ -> number == Math.rint(number) && !Double.isInfinite(number)));
      case "conjugate" -> method(number, name, Signature.positional(name).with(_ -> number));
      default -> Missing.VALUE;
    };
  }
}
