package dev.vllmmlx.text.grammar;

import java.util.ArrayDeque;

/**
 * How long a regular expression is when its counted repetitions are written out: {@code
 * (a{900}){900}} has 810,000 places. The native compiler does not write them out, but a text walks
 * through them, one state of the automaton each.
 */
final class RegexSize {
  private static final long MOST = 500_000;

  private final String regex;
  private int at;

  private RegexSize(String regex) {
    this.regex = regex;
  }

  /**
   * @throws ConstraintException.TooLarge when it is longer than any answer
   */
  static void check(String regex) {
    var places = new RegexSize(regex).places();
    if (places > MOST) {
      throw new ConstraintException.TooLarge(
          "the regular expression has more than %d places when its counts are written out: %s"
              .formatted(MOST, regex.length() <= 100 ? regex : regex.substring(0, 100) + "..."));
    }
  }

  /** Groups are kept on a stack of its own: they may be nested as deep as the text is long. */
  private long places() {
    var outer = new ArrayDeque<Long>();
    var total = 0L;
    var last = 0L;
    while (at < regex.length()) {
      var c = regex.charAt(at++);
      switch (c) {
        case '(' -> {
          outer.push(total);
          total = 0;
          last = 0;
        }
        case ')' -> {
          last = total;
          total = capped((outer.isEmpty() ? 0 : outer.pop()) + last);
        }
        case '{' -> {
          var times = times();
          total = capped(total + last * (times - 1));
          last = capped(last * times);
        }
        case '*', '+', '?', '|', '^', '$' -> {}
        default -> {
          switch (c) {
            case '\\' -> skipEscape();
            case '[' -> skipClass();
            default -> {}
          }
          last = 1;
          total = capped(total + 1);
        }
      }
    }
    return total;
  }

  /**
   * Of {@code {n}}, {@code {n,}} and {@code {n,m}} the larger number; 1 where it is none of these.
   */
  private long times() {
    var close = regex.indexOf('}', at);
    var counts = close < 0 ? "" : regex.substring(at, close);
    if (!counts.matches("\\s*\\d{1,18}\\s*(,\\s*\\d{0,18}\\s*)?")) {
      return 1;
    }
    at = close + 1;
    var times = 1L;
    for (var count : counts.split(",")) {
      times = Math.max(times, count.isBlank() ? 0 : Long.parseLong(count.strip()));
    }
    return capped(times);
  }

  private void skipEscape() {
    at++;
    // \p{L} and \x{1F600}
    if (at < regex.length()
        && "pPxu".indexOf(regex.charAt(at - 1)) >= 0
        && regex.charAt(at) == '{') {
      var close = regex.indexOf('}', at);
      at = close < 0 ? regex.length() : close + 1;
    }
  }

  private void skipClass() {
    // A bracket that comes first is a character of the class.
    at += regex.startsWith("^", at) ? 1 : 0;
    at += regex.startsWith("]", at) ? 1 : 0;
    while (at < regex.length() && regex.charAt(at) != ']') {
      at += regex.charAt(at) == '\\' ? 2 : 1;
    }
    at++;
  }

  /** So that a product of two stays in range. */
  private static long capped(long places) {
    return Math.min(places, 1L << 30);
  }
}
