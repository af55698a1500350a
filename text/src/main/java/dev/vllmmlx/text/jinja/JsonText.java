package dev.vllmmlx.text.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Python's {@code json.dumps}. */
public final class JsonText {
  private final boolean ascii;
  private final String indent;
  private final String itemSeparator;
  private final String keySeparator;
  private final boolean sortKeys;

  /**
   * @param ascii whether what is not ASCII is escaped
   * @param indent None, a number of spaces, or a string
   * @param separators None, or a pair of strings: between items, after a key
   * @throws TemplateException of kind TYPE if an argument has another type
   */
  public JsonText(boolean ascii, Object indent, Object separators, boolean sortKeys) {
    this.ascii = ascii;
    this.sortKeys = sortKeys;
    this.indent = indent(indent);
    var pair = separators instanceof Tuple tuple ? tuple.items() : separators;
    if (pair == null) {
      itemSeparator = indent == null ? ", " : ",";
      keySeparator = ": ";
    } else if (pair instanceof List<?> list && list.size() == 2) {
      itemSeparator = StringMethods.text(list.get(0));
      keySeparator = StringMethods.text(list.get(1));
    } else {
      throw TemplateException.type("separators must be a pair of strings");
    }
  }

  private static String indent(Object indent) {
    if (indent == null) {
      return null;
    }
    if (PyValues.isText(indent)) {
      return PyRepr.str(indent);
    }
    return " ".repeat((int) Math.max(0, Math.min(10_000, PyNumbers.toIndex(indent))));
  }

  /**
   * @param value as templates hold it
   * @throws TemplateException of kind TYPE for what JSON cannot hold
   */
  public String write(Object value) {
    var out = new StringBuilder();
    write(out, value, 0);
    return out.toString();
  }

  private void write(StringBuilder out, Object value, int depth) {
    switch (value) {
      case null -> out.append("null");
      case Boolean b -> out.append(b.booleanValue());
      case Long l -> out.append(l.longValue());
      case BigInteger big -> out.append(PyRepr.digits(big));
      case Double d -> out.append(number(d));
      case String s -> quote(out, s);
      case Markup m -> quote(out, m.text());
      case Range _ -> throw notSerializable(value);
      case List<?> list -> array(out, list, depth);
      case Tuple tuple -> array(out, tuple.items(), depth);
      case Dict dict -> object(out, dict, depth);
      default -> throw notSerializable(value);
    }
  }

  private static TemplateException notSerializable(Object value) {
    return TemplateException.type(
        "Object of type " + PyTypes.name(value) + " is not JSON serializable");
  }

  private static String number(double value) {
    if (Double.isNaN(value)) {
      return "NaN";
    }
    return Double.isInfinite(value) ? (value > 0 ? "Infinity" : "-Infinity") : PyRepr.number(value);
  }

  private void array(StringBuilder out, List<?> items, int depth) {
    if (items.isEmpty()) {
      out.append("[]");
      return;
    }
    out.append('[');
    for (int i = 0; i < items.size(); i++) {
      out.append(i == 0 ? "" : itemSeparator);
      newLine(out, depth + 1);
      write(out, items.get(i), depth + 1);
    }
    newLine(out, depth);
    out.append(']');
  }

  private void object(StringBuilder out, Dict dict, int depth) {
    if (dict.size() == 0) {
      out.append("{}");
      return;
    }
    var keys = dict.keys();
    if (sortKeys) {
      keys = new ArrayList<>(keys);
      keys.sort(order());
    }
    out.append('{');
    boolean first = true;
    for (var key : keys) {
      out.append(first ? "" : itemSeparator);
      first = false;
      newLine(out, depth + 1);
      quote(out, key(key));
      out.append(keySeparator);
      write(out, dict.get(key), depth + 1);
    }
    newLine(out, depth);
    out.append('}');
  }

  private static Comparator<Object> order() {
    return (a, b) -> PyValues.less(a, b) ? -1 : PyValues.less(b, a) ? 1 : 0;
  }

  private static String key(Object key) {
    return switch (key) {
      case String s -> s;
      case Boolean b -> b ? "true" : "false";
      case null -> "null";
      case Double d -> number(d);
      case Long _, BigInteger _ -> PyRepr.str(key);
      default ->
          throw TemplateException.type(
              "keys must be str, int, float, bool or None, not " + PyTypes.name(key));
    };
  }

  private void newLine(StringBuilder out, int depth) {
    if (indent != null) {
      out.append('\n').repeat(indent, depth);
    }
  }

  private void quote(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < 0x20 || ascii && c > 0x7e) {
            out.append("\\u%04x".formatted((int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
