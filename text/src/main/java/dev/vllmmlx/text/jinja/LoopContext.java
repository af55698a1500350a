package dev.vllmmlx.text.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** The {@code loop} of a {@code for}. Reads ahead by one item only where a template asks for it. */
final class LoopContext implements TemplateFunction {
  /** Renders the loop's body again over another iterable. */
  @FunctionalInterface
  interface Recursion {
    Object render(Object iterable, int depth);
  }

  private final Evaluation evaluation;
  private final Recursion recursion;
  private final int depth0;
  private Iterator<Object> items;
  private long length;
  private int index0 = -1;
  private Object previous = Missing.VALUE;
  private Object current = Missing.VALUE;
  private Object next = Missing.VALUE;
  private Object lastChanged = Missing.VALUE;

  /** {@code recursion} is null unless the loop is marked recursive. */
  LoopContext(Evaluation evaluation, Object iterable, Recursion recursion, int depth0) {
    this.evaluation = evaluation;
    this.recursion = recursion;
    this.depth0 = depth0;
    this.items = PyValues.iterate(iterable);
    this.length = PyValues.lengthOrMinusOne(iterable);
  }

  boolean hasNext() {
    return next != Missing.VALUE || items.hasNext();
  }

  Object next() {
    previous = current;
    if (next != Missing.VALUE) {
      current = next;
      next = Missing.VALUE;
    } else {
      current = items.next();
    }
    index0++;
    return current;
  }

  /** A loop can itself be walked: gives (item, loop) pairs. */
  Iterator<Object> pairs() {
    var loop = this;
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return loop.hasNext();
      }

      @Override
      public Object next() {
        return Tuple.of(loop.next(), loop);
      }
    };
  }

  int index0() {
    return index0;
  }

  long length() {
    if (length < 0) {
      var rest = new ArrayList<Object>();
      while (items.hasNext()) {
        evaluation.step();
        rest.add(items.next());
      }
      items = rest.iterator();
      length = rest.size() + index0 + 1 + (next == Missing.VALUE ? 0 : 1);
    }
    return length;
  }

  private Object peek() {
    if (next == Missing.VALUE && items.hasNext()) {
      next = items.next();
    }
    return next;
  }

  /** {@link Missing#VALUE} if there is no such attribute. */
  Object attribute(String name) {
    return switch (name) {
      case "index" -> index0 + 1L;
      case "index0" -> (long) index0;
      case "revindex" -> length() - index0;
      case "revindex0" -> length() - index0 - 1;
      case "first" -> index0 == 0;
      case "last" -> peek() == Missing.VALUE;
      case "length" -> length();
      case "depth" -> depth0 + 1L;
      case "depth0" -> (long) depth0;
      case "previtem" -> index0 == 0 ? Undefined.because("there is no previous item") : previous;
      case "nextitem" -> {
        var item = peek();
        yield item == Missing.VALUE ? Undefined.because("there is no next item") : item;
      }
      case "cycle" -> new BoundMethod(this, name, this::cycle);
      case "changed" -> new BoundMethod(this, name, this::changed);
      default -> Missing.VALUE;
    };
  }

  private Object cycle(Arguments arguments) {
    List<Object> values = arguments.positional();
    if (values.isEmpty()) {
      throw TemplateException.type("no items for cycling given");
    }
    return values.get(index0 % values.size());
  }

  private Object changed(Arguments arguments) {
    var values = Tuple.of(arguments.positional());
    boolean changed = lastChanged == Missing.VALUE || !PyValues.equal(lastChanged, values);
    lastChanged = values;
    return changed;
  }

  @Override
  public Object call(Arguments arguments) {
    var bound = Signature.of("__call__", "iterable").bind(arguments);
    if (recursion == null) {
      throw TemplateException.type(
          "The loop must have the 'recursive' marker to be called recursively.");
    }
    return recursion.render(bound.get(0), depth0 + 1);
  }
}
