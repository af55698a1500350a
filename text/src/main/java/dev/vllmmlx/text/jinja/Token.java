package dev.vllmmlx.text.jinja;

/**
 * One token.
 *
 * @param value the text of data, names and strings (unescaped); a Long, BigInteger or Double for
 *     numbers; the exception of an error; else null
 * @param line from 1
 */
record Token(TokenType type, Object value, int line) {

  boolean is(TokenType other) {
    return type == other;
  }

  boolean isName(String name) {
    return type == TokenType.NAME && name.equals(value);
  }

  boolean isName(String first, String second) {
    return isName(first) || isName(second);
  }

  String text() {
    return (String) value;
  }

  /** As error messages name it. */
  String description() {
    return type == TokenType.NAME ? text() : type.description();
  }
}
