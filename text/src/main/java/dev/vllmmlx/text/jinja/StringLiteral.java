package dev.vllmmlx.text.jinja;

/** String literals with Python's escapes. */
final class StringLiteral {
  private StringLiteral() {}

  /**
   * The offset after the closing quote of the literal at {@code start}, or -1 if it never closes.
   */
  static int end(String source, int start) {
    char quote = source.charAt(start);
    for (int i = start + 1; i < source.length(); i++) {
      char c = source.charAt(i);
      if (c == quote) {
        return i + 1;
      }
      if (c == '\\') {
        i++;
      }
    }
    return -1;
  }

  static String unescape(String raw, int line) {
    return raw.indexOf('\\') < 0 ? raw : new Unescape(raw, line).run();
  }

  private static final class Unescape {
    private final String raw;
    private final int line;
    private final StringBuilder out = new StringBuilder();
    private int at;

    Unescape(String raw, int line) {
      this.raw = raw;
      this.line = line;
    }

    String run() {
      while (at < raw.length()) {
        char c = raw.charAt(at++);
        if (c != '\\') {
          out.append(c);
        } else if (at >= raw.length()) {
          throw error("\\ at end of string");
        } else {
          escape();
        }
      }
      return out.toString();
    }

    private void escape() {
      int c = raw.codePointAt(at);
      at += Character.charCount(c);
      switch (c) {
        case '\n' -> {}
        case '\\', '\'', '"' -> out.append((char) c);
        case 'a' -> out.append('\u0007');
        case 'b' -> out.append('\b');
        case 'f' -> out.append('\f');
        case 'n' -> out.append('\n');
        case 'r' -> out.append('\r');
        case 't' -> out.append('\t');
        case 'v' -> out.append('\u000b');
        case 'x' -> hex(2, "truncated \\xXX escape");
        case 'u' -> hex(4, "truncated \\uXXXX escape");
        case 'U' -> hex(8, "truncated \\UXXXXXXXX escape");
        case 'N' -> name();
        case '0', '1', '2', '3', '4', '5', '6', '7' -> octal(c - '0');
        default -> unknown(c);
      }
    }

    /** An unknown escape stands for itself; Python has already escaped what is not ASCII. */
    private void unknown(int c) {
      out.append('\\');
      if (c < 0x80) {
        out.append((char) c);
      } else if (c < 0x100) {
        out.append("x%02x".formatted(c));
      } else if (c < 0x10000) {
        out.append("u%04x".formatted(c));
      } else {
        out.append("U%08x".formatted(c));
      }
    }

    private void hex(int digits, String problem) {
      int value = 0;
      for (int i = 0; i < digits; i++, at++) {
        int digit = at < raw.length() ? asciiHex(raw.charAt(at)) : -1;
        if (digit < 0) {
          throw error(problem);
        }
        value = value << 4 | digit;
      }
      if (value < 0 || value > Character.MAX_CODE_POINT) {
        throw error("illegal Unicode character");
      }
      out.appendCodePoint(value);
    }

    private static int asciiHex(char c) {
      return c < 0x80 ? Character.digit(c, 16) : -1;
    }

    private void octal(int first) {
      int value = first;
      for (int i = 0; i < 2 && at < raw.length(); i++, at++) {
        char c = raw.charAt(at);
        if (c < '0' || c > '7') {
          break;
        }
        value = value * 8 + c - '0';
      }
      out.append((char) value);
    }

    private void name() {
      int close = raw.indexOf('}', at);
      if (at >= raw.length() || raw.charAt(at) != '{' || close < 0 || close == at + 1) {
        throw error("malformed \\N character escape");
      }
      try {
        out.appendCodePoint(Character.codePointOf(raw.substring(at + 1, close)));
      } catch (IllegalArgumentException e) {
        throw error("unknown Unicode character name");
      }
      at = close + 1;
    }

    private TemplateException error(String message) {
      return TemplateException.syntax(message, line);
    }
  }
}
