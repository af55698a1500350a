package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Signature.Bound;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Filters of sequences that do not look into their items. */
final class SequenceFilters {
  private SequenceFilters() {}

  static void addTo(Map<String, TemplateFunction> filters) {
    var length = Signature.positional("len", "obj").with(a -> PyValues.length(a.get(0)));
    filters.put("length", length);
    filters.put("count", length);
    filters.put("first", Signature.of("do_first", "seq").with(SequenceFilters::first));
    filters.put("last", Signature.of("do_last", "seq").with(SequenceFilters::last));
    filters.put("random", Signature.of("do_random", "seq").with(SequenceFilters::random));
    filters.put("list", Signature.of("do_list", "value").with(SequenceFilters::list));
    filters.put("reverse", Signature.of("do_reverse", "value").with(SequenceFilters::reverse));
    filters.put("items", Signature.of("do_items", "value").with(SequenceFilters::items));
    filters.put(
        "batch",
        Signature.of("do_batch", "value", "linecount", "fill_with=").with(SequenceFilters::batch));
    filters.put(
        "slice",
        Signature.of("do_slice", "value", "slices", "fill_with=").with(SequenceFilters::slice));
    var defaults = Signature.of("do_default", "value", "default_value=", "boolean=");
    filters.put("default", defaults.with(SequenceFilters::defaultTo));
    filters.put("d", defaults.with(SequenceFilters::defaultTo));
  }

  /** All items, counted as steps. */
  static List<Object> toList(Evaluation evaluation, Object value) {
    var items = new ArrayList<Object>();
    for (Iterator<Object> i = PyValues.iterate(value); i.hasNext(); ) {
      evaluation.step();
      items.add(i.next());
    }
    return items;
  }

  private static Object list(Bound arguments) {
    return Collections.unmodifiableList(toList(arguments.evaluation(), arguments.get(0)));
  }

  private static Object defaultTo(Bound arguments) {
    var value = arguments.get(0);
    boolean replace =
        value instanceof Undefined || arguments.truth(2, false) && !PyValues.truth(value);
    return replace ? arguments.get(1, "") : value;
  }

  private static Object first(Bound arguments) {
    var items = PyValues.iterate(arguments.get(0));
    return items.hasNext() ? items.next() : Undefined.because("No first item, sequence was empty.");
  }

  private static Object last(Bound arguments) {
    var items = reversible(arguments.get(0));
    if (items == null) {
      throw notReversible(arguments.get(0));
    }
    return items.isEmpty()
        ? Undefined.because("No last item, sequence was empty.")
        : items.getLast();
  }

  private static TemplateException notReversible(Object value) {
    return TemplateException.type("'" + PyTypes.name(value) + "' object is not reversible");
  }

  @SuppressWarnings("unchecked")
  private static List<Object> reversible(Object value) {
    return switch (value) {
      case List<?> list -> (List<Object>) list;
      case Tuple tuple -> tuple.items();
      case Dict dict -> dict.keys();
      case Dict.View view -> view.list();
      case String text -> PyStrings.characters(text);
      case Markup markup -> PyStrings.characters(markup.text());
      case Undefined _ -> List.of();
      case null, default -> null;
    };
  }

  /** The first item stands for a random one, so that a rendering can be repeated. */
  private static Object random(Bound arguments) {
    var items = toList(arguments.evaluation(), arguments.get(0));
    return items.isEmpty()
        ? Undefined.because("No random item, sequence was empty.")
        : items.getFirst();
  }

  private static Object reverse(Bound arguments) {
    var value = arguments.get(0);
    if (PyValues.isText(value)) {
      var reversed = new StringBuilder();
      PyStrings.characters(arguments.text(0)).reversed().forEach(reversed::append);
      return value instanceof Markup ? new Markup(reversed.toString()) : reversed.toString();
    }
    var items = reversible(value);
    if (items == null) {
      var iterator = PyValues.iterateOrNull(value);
      if (iterator == null) {
        throw new TemplateException(
            TemplateException.Kind.FILTER_ARGUMENT, "argument must be iterable");
      }
      return toList(arguments.evaluation(), value).reversed();
    }
    return new PyIterator(reverseName(value), items.reversed().iterator());
  }

  private static String reverseName(Object value) {
    return switch (value) {
      case Range _ -> "range_iterator";
      case List<?> _ -> "list_reverseiterator";
      case Dict _ -> "dict_reversekeyiterator";
      default -> "reversed";
    };
  }

  private static Object items(Bound arguments) {
    return Deferred.generator(
        () ->
            switch (arguments.get(0)) {
              case Undefined _ -> Collections.emptyIterator();
              case Dict dict -> dict.items().iterator();
              case null, default ->
                  throw TemplateException.type("Can only get item pairs from a mapping.");
            });
  }

  private static Object batch(Bound arguments) {
    return Deferred.generator(
        () ->
            new Batches(
                arguments.evaluation(),
                PyValues.iterate(arguments.get(0)),
                arguments.get(1),
                arguments.get(2, null)));
  }

  /** Rows of so many items; {@code fill}, unless null, completes the last one. */
  private record Batches(Evaluation evaluation, Iterator<Object> source, Object size, Object fill)
      implements Iterator<Object> {
    @Override
    public boolean hasNext() {
      return source.hasNext();
    }

    @Override
    public Object next() {
      var row = new ArrayList<Object>();
      do {
        evaluation.step();
        row.add(source.next());
      } while (source.hasNext() && !PyValues.equal((long) row.size(), size));
      if (fill != null && PyValues.less((long) row.size(), size)) {
        long missing = PyNumbers.toIndex(size) - row.size();
        evaluation.allocate(missing);
        row.addAll(Collections.nCopies((int) missing, fill));
      }
      return Collections.unmodifiableList(row);
    }
  }

  private static Object slice(Bound arguments) {
    return Deferred.generator(
        () -> {
          var items = toList(arguments.evaluation(), arguments.get(0));
          long slices = arguments.integer(1, 1);
          if (slices == 0) {
            throw new TemplateException(
                TemplateException.Kind.ZERO_DIVISION, "integer division or modulo by zero");
          }
          return new Slices(arguments.evaluation(), items, slices, arguments.get(2, null));
        });
  }

  /** So many parts of equal size, the first ones longer by one where it does not come out even. */
  private static final class Slices implements Iterator<Object> {
    private final Evaluation evaluation;
    private final List<Object> items;
    private final long slices;
    private final Object fill;
    private long number;

    Slices(Evaluation evaluation, List<Object> items, long slices, Object fill) {
      this.evaluation = evaluation;
      this.items = items;
      this.slices = slices;
      this.fill = fill;
    }

    @Override
    public boolean hasNext() {
      return number < slices;
    }

    @Override
    public Object next() {
      evaluation.step();
      long size = items.size() / slices;
      long extra = items.size() % slices;
      long start = number * size + Math.min(number, extra);
      long end = start + size + (number < extra ? 1 : 0);
      var part = new ArrayList<>(items.subList((int) start, (int) end));
      if (fill != null && number >= extra) {
        part.add(fill);
      }
      number++;
      return Collections.unmodifiableList(part);
    }
  }
}
