package dev.vllmmlx.text.jinja;

import java.util.List;

/** Python's {@code pprint.pformat} at its width of 80. */
final class PrettyPrint {
  private static final int WIDTH = 80;

  private PrettyPrint() {}

  static String format(Object value) {
    var out = new StringBuilder();
    write(out, value, 0, 0);
    return out.toString();
  }

  /** {@code indent}: columns before the value; {@code allowance}: closing brackets after it. */
  private static void write(StringBuilder out, Object value, int indent, int allowance) {
    var repr = sortedRepr(value);
    if (PyStrings.length(repr) <= WIDTH - indent - allowance) {
      out.append(repr);
      return;
    }
    switch (value) {
      case Range _ -> out.append(repr);
      case List<?> list -> items(out, list, "[", "]", indent, allowance);
      case Tuple tuple ->
          items(out, tuple.items(), "(", tuple.items().size() == 1 ? ",)" : ")", indent, allowance);
      case Dict dict when dict.size() > 0 -> dict(out, dict, indent, allowance);
      case String text -> text(out, text, indent, allowance);
      case null, default -> out.append(repr);
    }
  }

  private static void items(
      StringBuilder out, List<?> items, String open, String close, int indent, int allowance) {
    out.append(open);
    for (int i = 0; i < items.size(); i++) {
      boolean last = i == items.size() - 1;
      write(out, items.get(i), indent + 1, last ? allowance + close.length() : 1);
      if (!last) {
        out.append(",\n").repeat(' ', indent + 1);
      }
    }
    out.append(close);
  }

  private static void dict(StringBuilder out, Dict dict, int indent, int allowance) {
    out.append('{');
    var keys = sortedKeys(dict);
    for (int i = 0; i < keys.size(); i++) {
      boolean last = i == keys.size() - 1;
      var key = sortedRepr(keys.get(i));
      out.append(key).append(": ");
      write(
          out, dict.get(keys.get(i)), indent + PyStrings.length(key) + 3, last ? allowance + 1 : 1);
      if (!last) {
        out.append(",\n").repeat(' ', indent + 1);
      }
    }
    out.append('}');
  }

  private static List<Object> sortedKeys(Dict dict) {
    var keys = new java.util.ArrayList<>(dict.keys());
    keys.sort(
        (a, b) -> {
          try {
            return PyValues.less(a, b) ? -1 : PyValues.less(b, a) ? 1 : 0;
          } catch (TemplateException e) {
            return PyStrings.compare(PyTypes.name(a), PyTypes.name(b));
          }
        });
    return keys;
  }

  private static String sortedRepr(Object value) {
    return switch (value) {
      case Range _ -> PyRepr.repr(value);
      case Dict dict -> {
        var parts =
            sortedKeys(dict).stream()
                .map(key -> sortedRepr(key) + ": " + sortedRepr(dict.get(key)))
                .toList();
        yield "{" + String.join(", ", parts) + "}";
      }
      case List<?> list -> "[" + reprs(list) + "]";
      case Tuple tuple -> "(" + reprs(tuple.items()) + (tuple.items().size() == 1 ? ",)" : ")");
      case null, default -> PyRepr.repr(value);
    };
  }

  private static String reprs(List<?> items) {
    var parts = new java.util.ArrayList<String>();
    items.forEach(item -> parts.add(sortedRepr(item)));
    return String.join(", ", parts);
  }

  /** A long string is cut into lines at its own line ends and, where needed, between words. */
  private static void text(StringBuilder out, String text, int indent, int allowance) {
    int nested = indent == 0 ? 1 : 0;
    int column = indent + nested;
    int room = WIDTH - column;
    var chunks = new java.util.ArrayList<String>();
    var lines = PyStrings.splitLines(text, true);
    for (int i = 0; i < lines.size(); i++) {
      var line = (String) lines.get(i);
      boolean lastLine = i == lines.size() - 1;
      int lineRoom = lastLine ? room - allowance - nested : room;
      if (PyStrings.length(PyRepr.repr(line)) <= lineRoom) {
        chunks.add(PyRepr.repr(line));
      } else {
        words(chunks, line, room, lastLine ? allowance + nested : 0);
      }
    }
    if (chunks.size() == 1) {
      out.append(chunks.getFirst());
      return;
    }
    out.append(nested == 1 ? "(" : "")
        .append(String.join("\n" + " ".repeat(column), chunks))
        .append(nested == 1 ? ")" : "");
  }

  private static void words(List<String> chunks, String line, int room, int lastAllowance) {
    var parts =
        java.util.regex.Pattern.compile("\\S*\\s*", java.util.regex.Pattern.UNICODE_CHARACTER_CLASS)
            .matcher(line)
            .results()
            .map(java.util.regex.MatchResult::group)
            .filter(part -> !part.isEmpty())
            .toList();
    var current = "";
    for (int i = 0; i < parts.size(); i++) {
      var candidate = current + parts.get(i);
      int limit = i == parts.size() - 1 ? room - lastAllowance : room;
      if (PyStrings.length(PyRepr.repr(candidate)) > limit) {
        if (!current.isEmpty()) {
          chunks.add(PyRepr.repr(current));
        }
        current = parts.get(i);
      } else {
        current = candidate;
      }
    }
    if (!current.isEmpty()) {
      chunks.add(PyRepr.repr(current));
    }
  }
}
