package dev.vllmmlx.spi;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Values of JSON's types as plain Java: null, {@code Boolean}, {@code Number}, {@code String},
 * {@code List} and {@code Map} in order. {@code List.copyOf} and its kin refuse null, which JSON
 * allows.
 */
final class JsonValues {
  private JsonValues() {}

  static Map<String, Object> copy(Map<String, Object> object) {
    var copy = new LinkedHashMap<String, Object>();
    object.forEach((key, value) -> copy.put(key, copyValue(value)));
    return Collections.unmodifiableMap(copy);
  }

  private static Object copyValue(Object value) {
    return switch (value) {
      case Map<?, ?> map -> {
        var copy = new LinkedHashMap<String, Object>();
        map.forEach((key, inner) -> copy.put((String) key, copyValue(inner)));
        yield Collections.unmodifiableMap(copy);
      }
      case List<?> list -> {
        var copy = new ArrayList<Object>(list.size());
        list.forEach(inner -> copy.add(copyValue(inner)));
        yield Collections.unmodifiableList(copy);
      }
      case null, default -> value;
    };
  }
}
