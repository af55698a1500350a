package dev.vllmmlx.text.jinja;

import java.util.List;

/** The {@code cycler} global's value. */
final class Cycler {
  private final List<Object> items;
  private int position;

  Cycler(List<Object> items) {
    if (items.isEmpty()) {
      throw TemplateException.runtime("at least one item has to be provided");
    }
    this.items = items;
  }

  /** {@link Missing#VALUE} if there is no such attribute. */
  Object attribute(String name) {
    return switch (name) {
      case "items" -> Tuple.of(items);
      case "pos" -> (long) position;
      case "current" -> items.get(position);
      case "next" -> new BoundMethod(this, name, Signature.of("next").with(_ -> next()));
      case "reset" -> new BoundMethod(this, name, Signature.of("reset").with(_ -> reset()));
      default -> Missing.VALUE;
    };
  }

  private Object next() {
    var current = items.get(position);
    position = (position + 1) % items.size();
    return current;
  }

  private Object reset() {
    position = 0;
    return null;
  }
}
