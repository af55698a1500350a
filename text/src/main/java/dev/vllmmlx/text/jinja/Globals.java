package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.TemplateException.Kind;
import java.util.Map;

/** Jinja2's global functions. */
final class Globals {
  private Globals() {}

  static Map<String, Object> all() {
    TemplateFunction range = Globals::range;
    TemplateFunction dict = Globals::dict;
    TemplateFunction namespace = arguments -> new Namespace(dict(arguments));
    TemplateFunction cycler = Globals::cycler;
    TemplateFunction joiner = Globals::joiner;
    TemplateFunction lipsum = Globals::lipsum;
    return Map.of(
        "range", range,
        "dict", dict,
        "namespace", namespace,
        "cycler", cycler,
        "joiner", joiner,
        "lipsum", lipsum);
  }

  private static Range range(Arguments arguments) {
    if (!arguments.named().isEmpty()) {
      throw TemplateException.type(
          "safe_range() got an unexpected keyword argument "
              + PyRepr.repr(arguments.named().keySet().iterator().next()));
    }
    var given = arguments.positional();
    if (given.isEmpty() || given.size() > 3) {
      throw TemplateException.type(
          given.isEmpty()
              ? "range expected at least 1 argument, got 0"
              : "range expected at most 3 arguments, got " + given.size());
    }
    long start = given.size() == 1 ? 0 : PyNumbers.toIndex(given.get(0));
    long stop = PyNumbers.toIndex(given.get(given.size() == 1 ? 0 : 1));
    long step = given.size() == 3 ? PyNumbers.toIndex(given.get(2)) : 1;
    if (step == 0) {
      throw TemplateException.value("range() arg 3 must not be zero");
    }
    long count = Range.count(start, stop, step);
    int most = arguments.evaluation().limits().rangeItems();
    if (count > most) {
      throw new TemplateException(
          Kind.OVERFLOW,
          "Range too big. The sandbox blocks ranges larger than MAX_RANGE (" + most + ").");
    }
    return new Range(start, stop, step, (int) count);
  }

  private static Dict dict(Arguments arguments) {
    var dict = new Dict();
    if (arguments.positional().size() > 1) {
      throw TemplateException.type(
          "dict expected at most 1 argument, got " + arguments.positional().size());
    }
    for (var source : arguments.positional()) {
      if (source instanceof Dict other) {
        dict.putAll(other);
      } else if (!(source instanceof Undefined)) {
        addPairs(arguments.evaluation(), dict, source);
      }
    }
    arguments.named().forEach(dict::put);
    return dict;
  }

  private static void addPairs(Evaluation evaluation, Dict dict, Object source) {
    var pairs = PyValues.iterate(source);
    for (int i = 0; pairs.hasNext(); i++) {
      evaluation.step();
      var pair = PyValues.iterateOrNull(pairs.next());
      if (pair == null) {
        throw TemplateException.type(
            "cannot convert dictionary update sequence element #" + i + " to a sequence");
      }
      var items = new java.util.ArrayList<Object>();
      pair.forEachRemaining(items::add);
      if (items.size() != 2) {
        throw TemplateException.value(
            "dictionary update sequence element #%d has length %d; 2 is required"
                .formatted(i, items.size()));
      }
      dict.put(items.get(0), items.get(1));
    }
  }

  private static Cycler cycler(Arguments arguments) {
    if (!arguments.named().isEmpty()) {
      throw TemplateException.type("Cycler.__init__() got an unexpected keyword argument");
    }
    return new Cycler(arguments.positional());
  }

  private static Joiner joiner(Arguments arguments) {
    return new Joiner(Signature.of("Joiner.__init__", "sep=").bind(arguments).get(0, ", "));
  }

  private static Object lipsum(Arguments arguments) {
    throw TemplateException.runtime("lipsum is random text, which this engine does not make");
  }
}
