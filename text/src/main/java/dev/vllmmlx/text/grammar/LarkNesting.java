package dev.vllmmlx.text.grammar;

/**
 * Bounds what the native library reads by recursion in a Lark grammar: how deep parentheses nest,
 * and how many rules there are (each may name the next).
 */
final class LarkNesting {
  private static final int DEEPEST = 200;
  private static final int MOST_RULES = 10_000;

  private LarkNesting() {}

  static void check(String lark) {
    var depth = 0;
    var colons = 0;
    for (var i = 0; i < lark.length(); i++) {
      switch (lark.charAt(i)) {
        case '(', '[', '{' -> {
          if (++depth > DEEPEST) {
            throw new ConstraintException.TooLarge(
                "the grammar nests deeper than %d levels".formatted(DEEPEST));
          }
        }
        case ')', ']', '}' -> depth--;
        case ':' -> {
          if (depth == 0 && ++colons > MOST_RULES) {
            throw new ConstraintException.TooLarge(
                "the grammar has more than %d rules".formatted(MOST_RULES));
          }
        }
        case '"' -> i = behind(lark, i, '"');
        case '#' -> i = lineEnd(lark, i);
        case '/' -> i = lark.startsWith("//", i) ? lineEnd(lark, i) : behind(lark, i, '/');
        default -> {}
      }
    }
  }

  /** Where the quotation that begins at {@code open} ends. */
  private static int behind(String lark, int open, char close) {
    for (var i = open + 1; i < lark.length(); i++) {
      if (lark.charAt(i) == '\\') {
        i++;
      } else if (lark.charAt(i) == close) {
        return i;
      }
    }
    return lark.length();
  }

  private static int lineEnd(String lark, int from) {
    var end = lark.indexOf('\n', from);
    return end < 0 ? lark.length() : end;
  }
}
