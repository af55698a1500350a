package dev.vllmmlx.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A Python dict: keeps the order of insertion, and keys that Python finds equal (1, 1.0, True) are
 * one. Not changed any more once a template sees it.
 */
final class Dict {
  /** Strings as they are; other keys in a {@link Key}. */
  private final Map<Object, Object> entries;

  private List<Object> keys;

  Dict() {
    entries = new LinkedHashMap<>();
  }

  Dict(int expectedSize) {
    entries = LinkedHashMap.newLinkedHashMap(expectedSize);
  }

  /** A key with Python's equality. */
  private record Key(Object value) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Key key && PyValues.equal(value, key.value);
    }

    @Override
    public int hashCode() {
      return PyValues.hash(value);
    }
  }

  private static Object toKey(Object key) {
    return switch (key) {
      case String text -> text;
      case Markup markup -> markup.text();
      case null, default -> {
        PyValues.requireHashable(key);
        yield new Key(key);
      }
    };
  }

  private static Object fromKey(Object key) {
    return key instanceof Key wrapped ? wrapped.value() : key;
  }

  void put(Object key, Object value) {
    entries.put(toKey(key), value);
  }

  void putAll(Dict other) {
    entries.putAll(other.entries);
  }

  /** {@link Missing#VALUE} if there is no such key. */
  Object get(Object key) {
    return entries.getOrDefault(toKey(key), Missing.VALUE);
  }

  boolean has(Object key) {
    return entries.containsKey(toKey(key));
  }

  int size() {
    return entries.size();
  }

  List<Object> keys() {
    var list = keys;
    if (list == null || list.size() != entries.size()) {
      list = new ArrayList<>(entries.size());
      for (var key : entries.keySet()) {
        list.add(fromKey(key));
      }
      keys = list;
    }
    return list;
  }

  List<Object> values() {
    return new ArrayList<>(entries.values());
  }

  List<Object> items() {
    var items = new ArrayList<Object>(entries.size());
    entries.forEach((key, value) -> items.add(Tuple.of(fromKey(key), value)));
    return items;
  }

  /** What {@code keys()}, {@code values()} and {@code items()} give. */
  record View(Dict dict, String method) {
    List<Object> list() {
      return switch (method) {
        case "keys" -> dict.keys();
        case "values" -> dict.values();
        default -> dict.items();
      };
    }
  }
}
