package dev.vllmmlx.text.jinja;

import java.util.ArrayList;
import java.util.List;

/** An attribute as filters take it: {@code "address.city"}, {@code "0"}, a number, or none. */
final class AttributePath {
  private final List<Object> parts = new ArrayList<>();
  private final Object fallback;

  /** {@code fallback}, unless null, takes the place of what is undefined. */
  AttributePath(Object attribute, Object fallback) {
    this.fallback = fallback;
    if (attribute instanceof String path) {
      for (var part : PyStrings.split(path, ".", -1)) {
        var text = (String) part;
        boolean number = PyCase.is("isdigit", text) && text.length() < 18;
        parts.add(number ? (Object) Long.valueOf(text) : text);
      }
    } else if (attribute != null) {
      parts.add(attribute);
    }
  }

  Object of(Object item) {
    var value = item;
    for (var part : parts) {
      value = PyAttributes.item(value, part);
      if (fallback != null && value instanceof Undefined) {
        value = fallback;
      }
    }
    return value;
  }
}
