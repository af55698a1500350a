package dev.vllmmlx.text.tools;

import dev.vllmmlx.text.parts.Scan;
import java.util.HexFormat;
import tools.jackson.databind.json.JsonMapper;

/**
 * An escape in a Python string.
 *
 * @param length of the escape, its backslash included
 * @param json what stands for it in a JSON string
 */
record PythonEscape(int length, String json) {
  private static final JsonMapper JSON = JsonMapper.shared();

  /** The one that begins at the next character; null while it is not whole. */
  static PythonEscape at(Scan in) {
    if (in.available() < 2) {
      return null;
    }
    char c = in.peek(1);
    return switch (c) {
      case 'n' -> new PythonEscape(2, "\\n");
      case 't' -> new PythonEscape(2, "\\t");
      case 'r' -> new PythonEscape(2, "\\r");
      case 'b' -> new PythonEscape(2, "\\b");
      case 'f' -> new PythonEscape(2, "\\f");
      case 'a' -> new PythonEscape(2, "\\u0007");
      case 'v' -> new PythonEscape(2, "\\u000b");
      case '0' -> new PythonEscape(2, "\\u0000");
      case '"', '\'', '\\' -> new PythonEscape(2, quoted(String.valueOf(c)));
      case '/' -> new PythonEscape(2, "/"); // JSON's, which models learn beside it
      case '\n' -> new PythonEscape(2, ""); // a line that goes on
      case 'x' -> ofCode(in, 2);
      case 'u' -> ofCode(in, 4);
      case 'U' -> ofCode(in, 8);
      default -> new PythonEscape(1, "\\\\"); // none: the backslash stands for itself
    };
  }

  private static PythonEscape ofCode(Scan in, int digits) {
    int there = Math.min(digits, in.available() - 2);
    for (int i = 0; i < there; i++) {
      if (!HexFormat.isHexDigit(in.peek(2 + i))) {
        return new PythonEscape(1, "\\\\");
      }
    }
    if (there < digits) {
      return in.hasEnded() ? new PythonEscape(1, "\\\\") : null;
    }
    var hex = new StringBuilder();
    for (int i = 0; i < digits; i++) {
      hex.append(in.peek(2 + i));
    }
    long code = HexFormat.fromHexDigitsToLong(hex);
    if (code > Character.MAX_CODE_POINT) {
      return new PythonEscape(1, "\\\\");
    }
    // Half of a pair stays an escape: its other half is one, too.
    var json =
        code <= Character.MAX_VALUE && Character.isSurrogate((char) code)
            ? "\\u%04x".formatted(code)
            : quoted(Character.toString((int) code));
    return new PythonEscape(2 + digits, json);
  }

  private static String quoted(String text) {
    var json = JSON.writeValueAsString(text);
    return json.substring(1, json.length() - 1);
  }
}
