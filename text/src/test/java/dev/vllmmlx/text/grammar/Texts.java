package dev.vllmmlx.text.grammar;

import dev.vllmmlx.text.tokenizer.Tokenizer;

/** Whole texts before a matcher. */
final class Texts {
  private Texts() {}

  /** Whether the text may stand from here on and end; the matcher stays where it is. */
  static boolean admits(ConstraintMatcher start, Tokenizer tokenizer, String text) {
    try (var matcher = start.copy()) {
      var tokens = tokenizer.encode(text, false);
      return matcher.accept(tokens) == tokens.length && matcher.isAccepting();
    }
  }
}
