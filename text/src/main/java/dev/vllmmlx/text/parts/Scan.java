package dev.vllmmlx.text.parts;

import java.util.Collection;

/**
 * Text that comes in pieces, read by someone who must sometimes wait for more. Positions count from
 * the answer's first character and stay valid until they are {@link #forget forgotten}.
 */
public final class Scan {

  /** Whether the text goes on in a certain way. */
  public enum Match {
    YES,
    NO,
    /** The text so far fits, but is not long enough. */
    UNKNOWN
  }

  private final StringBuilder text = new StringBuilder();
  private int base; // The position of the first character that is kept.
  private int next; // The index in text of the next character.
  private boolean ended;

  public void add(String more) {
    text.append(more);
  }

  /** No more will come: nothing is {@link Match#UNKNOWN} from now on. */
  public void end() {
    ended = true;
  }

  public boolean hasEnded() {
    return ended;
  }

  /** Whether there is nothing to read now. */
  public boolean isEmpty() {
    return next == text.length();
  }

  /** The next character, which must be there. */
  public char peek() {
    return text.charAt(next);
  }

  /** Takes the next character, which must be there. */
  public char take() {
    return text.charAt(next++);
  }

  /** Takes so many characters, which must be there. */
  public String take(int count) {
    var taken = text.substring(next, next + count);
    next += count;
    return taken;
  }

  /** How many characters are there to read. */
  public int available() {
    return text.length() - next;
  }

  /** The character so many after the next, which must be there. */
  public char peek(int ahead) {
    return text.charAt(next + ahead);
  }

  public int position() {
    return base + next;
  }

  /** Goes to a position that has not been forgotten. */
  public void goTo(int position) {
    next = position - base;
  }

  /** The text from a position up to here. */
  public String since(int position) {
    return text.substring(position - base, next);
  }

  /** Nobody will go back before this position. */
  public void forget(int position) {
    text.delete(0, position - base);
    next -= position - base;
    base = position;
  }

  /** Whether the text goes on with {@code literal}. */
  public Match at(String literal) {
    return at(literal, 0);
  }

  /**
   * Whether the text goes on with {@code literal} after so many characters, which must be there.
   */
  public Match at(String literal, int ahead) {
    int there = Math.min(literal.length(), available() - ahead);
    for (int i = 0; i < there; i++) {
      if (peek(ahead + i) != literal.charAt(i)) {
        return Match.NO;
      }
    }
    return there == literal.length() ? Match.YES : ended ? Match.NO : Match.UNKNOWN;
  }

  /** The first of {@code literals} that the text goes on with; null if none or not known yet. */
  public String atAnyOf(Collection<String> literals) {
    for (var literal : literals) {
      if (at(literal) == Match.YES) {
        return literal;
      }
    }
    return null;
  }

  /** Whether the text may yet turn out to go on with one of {@code literals}. */
  public boolean mayBeAtAnyOf(Collection<String> literals) {
    for (var literal : literals) {
      if (at(literal) == Match.UNKNOWN) {
        return true;
      }
    }
    return false;
  }

  /**
   * Takes the text before the first place where one of {@code literals} stands or may yet stand, or
   * all there is.
   */
  public String takeUntil(Collection<String> literals) {
    int length = available();
    for (int i = 0; i < length; i++) {
      for (var literal : literals) {
        if (literal.charAt(0) == peek(i) && at(literal, i) != Match.NO) {
          return take(i);
        }
      }
    }
    return take(length);
  }

  /** How many characters of white space are next. */
  public int spaceAhead() {
    return spaceAhead(0);
  }

  /** How many characters of white space there are after so many others. */
  public int spaceAhead(int ahead) {
    int count = 0;
    while (ahead + count < available() && isSpace(peek(ahead + count))) {
      count++;
    }
    return count;
  }

  /** Skips white space. */
  public void skipSpace() {
    while (!isEmpty() && isSpace(peek())) {
      next++;
    }
  }

  /** Space, tab, line feed or carriage return. */
  public static boolean isSpace(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
  }
}
