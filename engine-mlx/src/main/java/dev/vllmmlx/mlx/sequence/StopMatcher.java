package dev.vllmmlx.mlx.sequence;

import java.util.Optional;

/**
 * Looks for stop strings in a text that comes in pieces. Text comes out at once, but for an end of
 * it that may be the beginning of a stop string. Not for several threads at once.
 */
public final class StopMatcher {
  private final StopStrings strings;
  private final StringBuilder held = new StringBuilder();
  private StopStrings.Node state;
  private Optional<String> found = Optional.empty();

  StopMatcher(StopStrings strings) {
    this.strings = strings;
    this.state = strings.root();
  }

  /**
   * Takes the next piece.
   *
   * @param text whole characters
   * @param counts whether a stop string whose last character is in this piece is an end
   * @return what is certain now to come before any stop string; nothing once one was found
   */
  public String feed(String text, boolean counts) {
    if (found.isPresent()) {
      return "";
    }
    var end = held.length();
    held.append(text);
    while (end < held.length()) {
      var codePoint = held.codePointAt(end);
      end += Character.charCount(codePoint);
      state = strings.advance(state, codePoint);
      if (counts && state.ending != null) {
        found = Optional.of(state.ending);
        held.setLength(end - state.ending.length());
        return takeAllBut(0);
      }
      // A whole string that did not count, and that no longer one goes on from, holds nothing back.
      while (state.next.isEmpty() && state != strings.root()) {
        state = state.fallback;
      }
    }
    return takeAllBut(state.length);
  }

  /** What was held back, when no more text comes. */
  public String release() {
    return takeAllBut(0);
  }

  /** The stop string that ended the text. */
  public Optional<String> found() {
    return found;
  }

  private String takeAllBut(int last) {
    var text = held.substring(0, held.length() - last);
    held.delete(0, text.length());
    return text;
  }
}
