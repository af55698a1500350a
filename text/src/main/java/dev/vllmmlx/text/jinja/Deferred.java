package dev.vllmmlx.text.jinja;

import java.util.Iterator;
import java.util.function.Supplier;

/**
 * An iterator that is made when it is first asked for anything, as a Python generator runs: what is
 * wrong with its source shows only then, or never.
 */
final class Deferred implements Iterator<Object> {
  private final Supplier<Iterator<Object>> source;
  private Iterator<Object> items;

  private Deferred(Supplier<Iterator<Object>> source) {
    this.source = source;
  }

  static PyIterator generator(Supplier<Iterator<Object>> source) {
    return PyIterator.generator(new Deferred(source));
  }

  private Iterator<Object> items() {
    if (items == null) {
      items = source.get();
    }
    return items;
  }

  @Override
  public boolean hasNext() {
    return items().hasNext();
  }

  @Override
  public Object next() {
    return items().next();
  }
}
