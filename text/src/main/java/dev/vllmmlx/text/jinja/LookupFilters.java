package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Signature.Bound;
import dev.vllmmlx.text.jinja.TemplateException.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Filters that look at an attribute of each item, or apply a filter or test to each. */
final class LookupFilters {
  private LookupFilters() {}

  static void addTo(Map<String, TemplateFunction> filters) {
    filters.put("map", LookupFilters::map);
    filters.put("select", arguments -> select(arguments, true, false));
    filters.put("reject", arguments -> select(arguments, false, false));
    filters.put("selectattr", arguments -> select(arguments, true, true));
    filters.put("rejectattr", arguments -> select(arguments, false, true));
    filters.put(
        "attr",
        Signature.of("do_attr", "obj", "name")
            .with(a -> PyAttributes.attributeOnly(a.get(0), a.text(1))));
    filters.put(
        "join", Signature.of("do_join", "value", "d=", "attribute=").with(LookupFilters::join));
    filters.put(
        "sum", Signature.of("do_sum", "iterable", "attribute=", "start=").with(LookupFilters::sum));
    filters.put(
        "min",
        Signature.of("do_min", "value", "case_sensitive=", "attribute=")
            .with(a -> extreme(a, true)));
    filters.put(
        "max",
        Signature.of("do_max", "value", "case_sensitive=", "attribute=")
            .with(a -> extreme(a, false)));
    filters.put(
        "sort",
        Signature.of("do_sort", "value", "reverse=", "case_sensitive=", "attribute=")
            .with(LookupFilters::sort));
    filters.put(
        "unique",
        Signature.of("do_unique", "value", "case_sensitive=", "attribute=")
            .with(LookupFilters::unique));
    filters.put(
        "groupby",
        Signature.of("do_groupby", "value", "attribute", "default=", "case_sensitive=")
            .with(LookupFilters::groupBy));
    filters.put(
        "dictsort",
        Signature.of("do_dictsort", "value", "case_sensitive=", "by=", "reverse=")
            .with(LookupFilters::dictSort));
  }

  private static Object foldCase(Object value) {
    return PyValues.isText(value) ? PyCase.lower(PyRepr.str(value)) : value;
  }

  private static UnaryOperator<Object> key(Object attribute, boolean caseSensitive) {
    var path = new AttributePath(attribute, null);
    return caseSensitive ? path::of : item -> foldCase(path.of(item));
  }

  private static Object map(Arguments arguments) {
    return Deferred.generator(
        () -> {
          var value = arguments.positional().getFirst();
          return PyValues.truth(value)
              ? new LazyItems(arguments.evaluation(), PyValues.iterate(value), mapper(arguments))
              : Collections.emptyIterator();
        });
  }

  private static UnaryOperator<Object> mapper(Arguments arguments) {
    var positional = arguments.positional();
    if (positional.size() == 1 && arguments.named().containsKey("attribute")) {
      var named = new LinkedHashMap<>(arguments.named());
      var path = new AttributePath(named.remove("attribute"), named.remove("default"));
      if (!named.isEmpty()) {
        throw new TemplateException(
            Kind.FILTER_ARGUMENT,
            "Unexpected keyword argument " + PyRepr.repr(named.keySet().iterator().next()));
      }
      return path::of;
    }
    if (positional.size() == 1) {
      throw new TemplateException(Kind.FILTER_ARGUMENT, "map requires a filter argument");
    }
    var filter = named(arguments, positional.get(1), true);
    return item -> filter.call(with(arguments, item, 2));
  }

  /** The arguments after the first {@code skip}, behind an item. */
  private static Arguments with(Arguments arguments, Object item, int skip) {
    var positional = new ArrayList<Object>();
    positional.add(item);
    positional.addAll(arguments.positional().subList(skip, arguments.positional().size()));
    return new Arguments(arguments.evaluation(), positional, arguments.named());
  }

  /** A filter or test by name; the error for one that does not exist comes when it is called. */
  private static TemplateFunction named(Arguments arguments, Object name, boolean filter) {
    var environment = arguments.evaluation().environment();
    var text = name instanceof String s ? s : "";
    var function = filter ? environment.filter(text) : environment.test(text);
    if (function != null) {
      return function;
    }
    var message = "No " + (filter ? "filter" : "test") + " named " + PyRepr.repr(name) + ".";
    if (name instanceof Undefined undefined) {
      message +=
          " (" + undefined.failure().getMessage() + "; did you forget to quote the callable name?)";
    }
    var problem = TemplateException.runtime(message);
    return _ -> {
      throw problem;
    };
  }

  private static Object select(Arguments arguments, boolean keep, boolean byAttribute) {
    return Deferred.generator(
        () -> {
          var value = arguments.positional().getFirst();
          return PyValues.truth(value)
              ? new LazyItems(
                  arguments.evaluation(),
                  PyValues.iterate(value),
                  selector(arguments, keep, byAttribute))
              : Collections.emptyIterator();
        });
  }

  private static UnaryOperator<Object> selector(
      Arguments arguments, boolean keep, boolean byAttribute) {
    var positional = arguments.positional();
    if (byAttribute && positional.size() < 2) {
      throw new TemplateException(Kind.FILTER_ARGUMENT, "Missing parameter for attribute name");
    }
    UnaryOperator<Object> lookUp =
        byAttribute ? new AttributePath(positional.get(1), null)::of : UnaryOperator.identity();
    int at = byAttribute ? 2 : 1;
    var test = positional.size() > at ? named(arguments, positional.get(at), false) : null;
    return item -> {
      var looked = lookUp.apply(item);
      var result = test == null ? looked : test.call(with(arguments, looked, at + 1));
      return PyValues.truth(result) == keep ? item : Missing.VALUE;
    };
  }

  private static Object join(Bound arguments) {
    var evaluation = arguments.evaluation();
    var separator = arguments.get(1, "");
    var path = new AttributePath(arguments.get(2, null), null);
    var out = new ArrayList<Object>();
    var items = PyValues.iterate(arguments.get(0));
    while (items.hasNext()) {
      evaluation.step();
      out.add(path.of(items.next()));
    }
    boolean markup =
        evaluation.autoescape()
            && (separator instanceof Markup || out.stream().anyMatch(i -> i instanceof Markup));
    out.replaceAll(item -> markup ? Markup.escape(item).text() : PyRepr.str(item));
    if (markup) {
      return new Markup(StringMethods.join(evaluation, Markup.escape(separator).text(), out));
    }
    return StringMethods.join(evaluation, PyRepr.str(separator), out);
  }

  private static Object sum(Bound arguments) {
    var path = new AttributePath(arguments.get(1, null), null);
    var sum = arguments.get(2, 0L);
    if (PyValues.isText(sum)) {
      throw TemplateException.type("sum() can't sum strings [use ''.join(seq) instead]");
    }
    var arithmetic = new PyArithmetic(arguments.evaluation());
    var items = PyValues.iterate(arguments.get(0));
    while (items.hasNext()) {
      arguments.evaluation().step();
      sum = arithmetic.add(sum, path.of(items.next()));
    }
    return sum;
  }

  private static Object extreme(Bound arguments, boolean smallest) {
    var items = PyValues.iterate(arguments.get(0));
    if (!items.hasNext()) {
      return Undefined.because("No aggregated item, sequence was empty.");
    }
    var key = key(arguments.get(2, null), arguments.truth(1, false));
    var best = items.next();
    var bestKey = key.apply(best);
    while (items.hasNext()) {
      arguments.evaluation().step();
      var item = items.next();
      var itemKey = key.apply(item);
      if (PyValues.order(smallest ? "<" : ">", itemKey, bestKey)) {
        best = item;
        bestKey = itemKey;
      }
    }
    return best;
  }

  private record Keyed(Object key, Object item) {}

  /** Python's stable sort: reversed, equal items keep their order too. */
  private static List<Object> sorted(
      Evaluation evaluation, List<Object> items, UnaryOperator<Object> key, boolean reverse) {
    var keyed = new ArrayList<Keyed>(items.size());
    for (var item : items) {
      keyed.add(new Keyed(key.apply(item), item));
    }
    Comparator<Keyed> order =
        (a, b) -> {
          evaluation.step();
          return PyValues.less(a.key(), b.key()) ? -1 : PyValues.less(b.key(), a.key()) ? 1 : 0;
        };
    try {
      keyed.sort(reverse ? order.reversed() : order);
    } catch (IllegalArgumentException e) {
      throw TemplateException.value("the items have no order");
    }
    var sorted = new ArrayList<Object>(items.size());
    keyed.forEach(pair -> sorted.add(pair.item()));
    return Collections.unmodifiableList(sorted);
  }

  private static Object sort(Bound arguments) {
    var attribute = arguments.get(3, null);
    boolean caseSensitive = arguments.truth(2, false);
    var keys = new ArrayList<UnaryOperator<Object>>();
    if (attribute instanceof String paths) {
      PyStrings.split(paths, ",", -1).forEach(path -> keys.add(key(path, caseSensitive)));
    } else {
      keys.add(key(attribute, caseSensitive));
    }
    UnaryOperator<Object> key =
        item -> {
          var values = new ArrayList<Object>();
          keys.forEach(each -> values.add(each.apply(item)));
          return values;
        };
    var items = SequenceFilters.toList(arguments.evaluation(), arguments.get(0));
    return sorted(arguments.evaluation(), items, key, arguments.truth(1, false));
  }

  private static Object unique(Bound arguments) {
    var key = key(arguments.get(2, null), arguments.truth(1, false));
    var seen = new Dict();
    return Deferred.generator(
        () ->
            new LazyItems(
                arguments.evaluation(),
                PyValues.iterate(arguments.get(0)),
                item -> {
                  var itemKey = key.apply(item);
                  if (seen.has(itemKey)) {
                    return Missing.VALUE;
                  }
                  seen.put(itemKey, null);
                  return item;
                }));
  }

  private static Object groupBy(Bound arguments) {
    var path = new AttributePath(arguments.get(1), arguments.get(2, null));
    boolean caseSensitive = arguments.truth(3, false);
    UnaryOperator<Object> key = caseSensitive ? path::of : item -> foldCase(path.of(item));
    var items = SequenceFilters.toList(arguments.evaluation(), arguments.get(0));
    var groups = new ArrayList<Object>();
    var current = new ArrayList<Object>();
    Object currentKey = Missing.VALUE;
    for (var item : sorted(arguments.evaluation(), items, key, false)) {
      var itemKey = key.apply(item);
      if (currentKey != Missing.VALUE && !PyValues.equal(currentKey, itemKey)) {
        groups.add(group(path, current));
        current = new ArrayList<>();
      }
      currentKey = itemKey;
      current.add(item);
    }
    if (!current.isEmpty()) {
      groups.add(group(path, current));
    }
    return Collections.unmodifiableList(groups);
  }

  /** A group goes by its first item's own value, whatever the case it was compared in. */
  private static Tuple group(AttributePath path, List<Object> items) {
    var pair = new ArrayList<Object>();
    pair.add(path.of(items.getFirst()));
    pair.add(Collections.unmodifiableList(items));
    return new Tuple(Collections.unmodifiableList(pair), true);
  }

  private static Object dictSort(Bound arguments) {
    var by = arguments.get(2, "key");
    if (!"key".equals(by) && !"value".equals(by)) {
      throw new TemplateException(
          Kind.FILTER_ARGUMENT, "You can only sort by either \"key\" or \"value\"");
    }
    var value = arguments.get(0);
    PyValues.requireDefined(value);
    if (!(value instanceof Dict dict)) {
      throw new TemplateException(
          Kind.ATTRIBUTE, "'" + PyTypes.name(value) + "' object has no attribute 'items'");
    }
    int position = "key".equals(by) ? 0 : 1;
    boolean caseSensitive = arguments.truth(1, false);
    UnaryOperator<Object> key =
        pair -> {
          var part = ((Tuple) pair).items().get(position);
          return caseSensitive ? part : foldCase(part);
        };
    return sorted(arguments.evaluation(), dict.items(), key, arguments.truth(3, false));
  }
}
