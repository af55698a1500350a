package dev.vllmmlx.text.jinja;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.UnaryOperator;

/**
 * Items changed or left out one by one, when they are asked for. The operator gives {@link
 * Missing#VALUE} for an item to leave out.
 */
final class LazyItems implements Iterator<Object> {
  private final Evaluation evaluation;
  private final Iterator<Object> source;
  private final UnaryOperator<Object> operator;
  private Object next = Missing.VALUE;

  LazyItems(Evaluation evaluation, Iterator<Object> source, UnaryOperator<Object> operator) {
    this.evaluation = evaluation;
    this.source = source;
    this.operator = operator;
  }

  @Override
  public boolean hasNext() {
    while (next == Missing.VALUE && source.hasNext()) {
      evaluation.step();
      next = operator.apply(source.next());
    }
    return next != Missing.VALUE;
  }

  @Override
  public Object next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    var item = next;
    next = Missing.VALUE;
    return item;
  }
}
