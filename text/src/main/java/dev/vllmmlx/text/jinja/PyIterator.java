package dev.vllmmlx.text.jinja;

import java.util.Iterator;

/**
 * An iterator that can be walked once: lazy filters, {@code reversed}.
 *
 * @param typeName Python's name of its type
 */
record PyIterator(String typeName, Iterator<Object> items) implements Iterator<Object> {
  static PyIterator generator(Iterator<Object> items) {
    return new PyIterator("generator", items);
  }

  @Override
  public boolean hasNext() {
    return items.hasNext();
  }

  @Override
  public Object next() {
    return items.next();
  }
}
