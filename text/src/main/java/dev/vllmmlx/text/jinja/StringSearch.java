package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Signature.Bound;

/** {@code find}, {@code index}, {@code count} with bounds, all by code point. */
final class StringSearch {
  private StringSearch() {}

  private static long bound(Bound arguments, int index, long length, long fallback) {
    var value = arguments.get(index, null);
    if (value == null) {
      return fallback;
    }
    long at = PyNumbers.toIndex(value);
    return at < 0 ? Math.max(0, at + length) : at;
  }

  /** {@code self[start:end]} for arguments 1 and 2, or null if start lies beyond the end. */
  static String part(String self, Bound arguments) {
    if (!arguments.has(1)) {
      return self;
    }
    long length = PyStrings.length(self);
    long start = bound(arguments, 1, length, 0);
    long end = Math.min(length, bound(arguments, 2, length, length));
    if (start > end) {
      return null;
    }
    return self.substring(PyStrings.offset(self, (int) start), PyStrings.offset(self, (int) end));
  }

  /** The code point index of argument 0, or -1. */
  static Object find(String self, Bound arguments, boolean last) {
    var sub = StringMethods.text(arguments, 0);
    var part = part(self, arguments);
    if (part == null) {
      return -1L;
    }
    int at = last ? part.lastIndexOf(sub) : part.indexOf(sub);
    if (at < 0) {
      return -1L;
    }
    long start = bound(arguments, 1, PyStrings.length(self), 0);
    return start + part.codePointCount(0, at);
  }

  static Object index(String self, Bound arguments, boolean last) {
    var found = find(self, arguments, last);
    if (found.equals(-1L)) {
      throw TemplateException.value("substring not found");
    }
    return found;
  }

  static Object count(String self, Bound arguments) {
    var sub = StringMethods.text(arguments, 0);
    var part = part(self, arguments);
    if (part == null) {
      return 0L;
    }
    if (sub.isEmpty()) {
      return PyStrings.length(part) + 1L;
    }
    long count = 0;
    for (int at = part.indexOf(sub); at >= 0; at = part.indexOf(sub, at + sub.length())) {
      count++;
    }
    return count;
  }
}
