package dev.vllmmlx.text.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Indexing and slicing of sequences. */
final class PySlices {
  private PySlices() {}

  /** The item at an index that may be negative; {@link Missing#VALUE} out of range. */
  static Object item(Object sequence, Object index) {
    long i = PyNumbers.toIndex(index);
    return switch (sequence) {
      case String text -> character(text, i);
      case Markup markup -> {
        var found = character(markup.text(), i);
        yield found == Missing.VALUE ? found : new Markup((String) found);
      }
      case Tuple tuple -> item(tuple.items(), i);
      case List<?> list -> item(list, i);
      default -> throw new IllegalArgumentException(PyTypes.name(sequence));
    };
  }

  private static Object item(List<?> items, long index) {
    long at = index < 0 ? index + items.size() : index;
    return at < 0 || at >= items.size() ? Missing.VALUE : items.get((int) at);
  }

  private static Object character(String text, long index) {
    int length = PyStrings.length(text);
    long at = index < 0 ? index + length : index;
    if (at < 0 || at >= length) {
      return Missing.VALUE;
    }
    int start = PyStrings.offset(text, (int) at);
    return text.substring(start, text.offsetByCodePoints(start, 1));
  }

  /** {@code sequence[start:stop:step]}; bounds may be None. */
  static Object slice(
      Evaluation evaluation, Object sequence, Object start, Object stop, Object step) {
    return switch (sequence) {
      case String text ->
          slice(evaluation, text, new Bounds(PyStrings.length(text), start, stop, step));
      case Markup markup -> {
        var bounds = new Bounds(PyStrings.length(markup.text()), start, stop, step);
        yield new Markup(slice(evaluation, markup.text(), bounds));
      }
      case Range range -> {
        var bounds = new Bounds(range.size(), start, stop, step);
        yield range.slice(bounds.first, bounds.last, bounds.step, bounds.count);
      }
      case List<?> list -> slice(evaluation, list, new Bounds(list.size(), start, stop, step));
      case Tuple tuple -> {
        var items = tuple.items();
        yield Tuple.of(slice(evaluation, items, new Bounds(items.size(), start, stop, step)));
      }
      case Undefined undefined -> throw undefined.failure();
      case Dict _ -> throw TemplateException.type("unhashable type: 'slice'");
      case null, default ->
          throw TemplateException.type(
              "'" + PyTypes.name(sequence) + "' object is not subscriptable");
    };
  }

  private static String slice(Evaluation evaluation, String text, Bounds bounds) {
    evaluation.allocate(bounds.count);
    if (bounds.count == 0) {
      return "";
    }
    if (bounds.step == 1) {
      int from = PyStrings.offset(text, bounds.first);
      return text.substring(from, text.offsetByCodePoints(from, bounds.count));
    }
    var codePoints = text.codePoints().toArray();
    var out = new StringBuilder(bounds.count);
    for (int i = 0; i < bounds.count; i++) {
      out.appendCodePoint(codePoints[bounds.first + i * bounds.step]);
    }
    return out.toString();
  }

  private static List<Object> slice(Evaluation evaluation, List<?> items, Bounds bounds) {
    evaluation.allocate(bounds.count);
    var out = new ArrayList<Object>(bounds.count);
    for (int i = 0; i < bounds.count; i++) {
      out.add(items.get(bounds.first + i * bounds.step));
    }
    return Collections.unmodifiableList(out);
  }

  /** A slice's bounds, cut to a sequence's length. */
  private static final class Bounds {
    final int first;
    final int last;
    final int step;
    final int count;

    Bounds(int length, Object start, Object stop, Object stepValue) {
      long wide = stepValue == null ? 1 : index(stepValue);
      if (wide == 0) {
        throw TemplateException.value("slice step cannot be zero");
      }
      boolean forward = wide > 0;
      int lowest = forward ? 0 : -1;
      int highest = forward ? length : length - 1;
      first =
          start == null ? (forward ? lowest : highest) : cut(index(start), length, lowest, highest);
      last =
          stop == null ? (forward ? highest : lowest) : cut(index(stop), length, lowest, highest);
      step = (int) Math.max(-length - 1L, Math.min(length + 1L, wide));
      long distance = forward ? (long) last - first : (long) first - last;
      count = distance <= 0 ? 0 : (int) ((distance - 1) / Math.abs(step) + 1);
    }

    private static long index(Object value) {
      if (!PyNumbers.isInteger(value)) {
        throw TemplateException.type(
            "slice indices must be integers or None or have an __index__ method");
      }
      return PyNumbers.toIndex(value);
    }

    private static int cut(long value, int length, int lowest, int highest) {
      long absolute = value < 0 ? value + length : value;
      return (int) Math.max(lowest, Math.min(highest, absolute));
    }
  }
}
