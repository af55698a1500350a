package dev.vllmmlx.text.jinja;

import java.util.ArrayList;
import java.util.List;

/** Strings by code point, with Python's ideas of space, line ends and printable characters. */
final class PyStrings {
  private PyStrings() {}

  /** Python's {@code str.isspace} of one character. */
  static boolean isSpace(int c) {
    return c == ' '
        || c >= 0x09 && c <= 0x0d
        || c >= 0x1c && c <= 0x1f
        || c == 0x85
        || c == 0xa0
        || c == 0x1680
        || c >= 0x2000 && c <= 0x200a
        || c == 0x2028
        || c == 0x2029
        || c == 0x202f
        || c == 0x205f
        || c == 0x3000;
  }

  static boolean isPrintable(int c) {
    if (c < 0x7f) {
      return c >= ' ';
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR ->
          false;
      default -> true;
    };
  }

  static boolean isLineEnd(int c) {
    return c >= 0x0a && c <= 0x0d
        || c >= 0x1c && c <= 0x1e
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }

  static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  /** Orders by code point, which UTF-16 does not. */
  static int compare(String a, String b) {
    int common = Math.min(a.length(), b.length());
    for (int i = 0; i < common; i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        boolean surrogates = Character.isSurrogate(x) != Character.isSurrogate(y);
        return surrogates ? (Character.isSurrogate(x) ? 1 : -1) : Character.compare(x, y);
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  /** One string a character. */
  static List<Object> characters(String text) {
    var characters = new ArrayList<Object>(text.length());
    for (int i = 0; i < text.length(); ) {
      int end = text.offsetByCodePoints(i, 1);
      characters.add(text.substring(i, end));
      i = end;
    }
    return characters;
  }

  /** The UTF-16 offset of a code point. */
  static int offset(String text, int codePoints) {
    return text.offsetByCodePoints(0, codePoints);
  }

  private static boolean inSet(String chars, int c) {
    return chars == null ? isSpace(c) : chars.indexOf(c) >= 0;
  }

  /** {@code chars} null means white space. */
  static String strip(String text, String chars) {
    return rstrip(lstrip(text, chars), chars);
  }

  static String lstrip(String text, String chars) {
    int start = 0;
    while (start < text.length()) {
      int c = text.codePointAt(start);
      if (!inSet(chars, c)) {
        break;
      }
      start += Character.charCount(c);
    }
    return text.substring(start);
  }

  static String rstrip(String text, String chars) {
    int end = text.length();
    while (end > 0) {
      int c = text.codePointBefore(end);
      if (!inSet(chars, c)) {
        break;
      }
      end -= Character.charCount(c);
    }
    return text.substring(0, end);
  }

  /** {@code maxSplit} negative means without end. */
  static List<Object> splitSpace(String text, long maxSplit) {
    var parts = new ArrayList<Object>();
    int i = 0;
    while (true) {
      while (i < text.length() && isSpace(text.charAt(i))) {
        i++;
      }
      if (i >= text.length()) {
        return parts;
      }
      if (maxSplit >= 0 && parts.size() >= maxSplit) {
        parts.add(text.substring(i));
        return parts;
      }
      int start = i;
      while (i < text.length() && !isSpace(text.charAt(i))) {
        i++;
      }
      parts.add(text.substring(start, i));
    }
  }

  static List<Object> splitSpaceFromRight(String text, long maxSplit) {
    var parts = new ArrayList<Object>();
    int i = text.length();
    while (true) {
      while (i > 0 && isSpace(text.charAt(i - 1))) {
        i--;
      }
      if (i == 0) {
        break;
      }
      if (maxSplit >= 0 && parts.size() >= maxSplit) {
        parts.addFirst(text.substring(0, i));
        break;
      }
      int end = i;
      while (i > 0 && !isSpace(text.charAt(i - 1))) {
        i--;
      }
      parts.addFirst(text.substring(i, end));
    }
    return parts;
  }

  static List<Object> split(String text, String separator, long maxSplit) {
    requireSeparator(separator);
    var parts = new ArrayList<Object>();
    int start = 0;
    for (long n = 0; maxSplit < 0 || n < maxSplit; n++) {
      int at = text.indexOf(separator, start);
      if (at < 0) {
        break;
      }
      parts.add(text.substring(start, at));
      start = at + separator.length();
    }
    parts.add(text.substring(start));
    return parts;
  }

  static List<Object> splitFromRight(String text, String separator, long maxSplit) {
    requireSeparator(separator);
    var parts = new ArrayList<Object>();
    int end = text.length();
    for (long n = 0; maxSplit < 0 || n < maxSplit; n++) {
      int at = text.lastIndexOf(separator, end - separator.length());
      if (at < 0 || end - separator.length() < 0) {
        break;
      }
      parts.add(text.substring(at + separator.length(), end));
      end = at;
    }
    parts.add(text.substring(0, end));
    return parts.reversed().stream().toList();
  }

  private static void requireSeparator(String separator) {
    if (separator.isEmpty()) {
      throw TemplateException.value("empty separator");
    }
  }

  static List<Object> splitLines(String text, boolean keepEnds) {
    var lines = new ArrayList<Object>();
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      if (!isLineEnd(text.charAt(i))) {
        continue;
      }
      int end = i;
      if (text.charAt(i) == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n') {
        i++;
      }
      lines.add(text.substring(start, keepEnds ? i + 1 : end));
      start = i + 1;
    }
    if (start < text.length()) {
      lines.add(text.substring(start));
    }
    return lines;
  }
}
