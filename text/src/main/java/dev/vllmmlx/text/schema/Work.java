package dev.vllmmlx.text.schema;

import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Counts what a check costs, and ends one that would cost too much. For one check. */
final class Work {
  private static final int MOST_STEPS = 200_000;
  private static final int MOST_CHARACTERS = 2_000_000;

  private int steps;
  private int characters;

  /** A check costs more than anybody should wait for. */
  static final class TooMuch extends RuntimeException {
    private static final long serialVersionUID = 1;

    TooMuch() {
      super("too much work", null, false, false);
    }
  }

  void step() {
    if (++steps > MOST_STEPS) {
      throw new TooMuch();
    }
  }

  /** Whether the pattern is found in the text; true where Java does not know such a pattern. */
  boolean found(String pattern, String text) {
    step();
    try {
      return Pattern.compile(pattern).matcher(new Counted(text)).find();
    } catch (PatternSyntaxException e) {
      return true;
    }
  }

  /** Java's patterns backtrack, and can be ended only by the text that they read. */
  private final class Counted implements CharSequence {
    private final String text;

    Counted(String text) {
      this.text = text;
    }

    @Override
    public char charAt(int index) {
      if (++characters > MOST_CHARACTERS) {
        throw new TooMuch();
      }
      return text.charAt(index);
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.subSequence(start, end);
    }

    @Override
    public String toString() {
      return text;
    }
  }
}
