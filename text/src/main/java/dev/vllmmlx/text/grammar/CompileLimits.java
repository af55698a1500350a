package dev.vllmmlx.text.grammar;

import java.time.Duration;

/**
 * How much a constraint may take.
 *
 * @param time for compiling one, waiting for a processor included
 * @param sourceChars the longest source of one
 * @param grammarSize symbols in a grammar's productions
 * @param lexerFuel work on the initial lexer, in expression nodes; about 50,000 a millisecond
 * @param lexerStates states of a lexer, 1 to 2 kB each
 * @param stepLexerFuel work on the lexer for one mask, about 14,000 a millisecond
 * @param stepItems parser items for one mask, about 20,000 a millisecond
 * @param rowItems parser items at one place of a text
 * @param step the longest that a matcher may work on one mask, on one call's tokens or on forced
 *     text; what takes longer ends with an error. Where others keep the processor busy, half of it
 *     is counted from when this thread has it
 * @param cached how many compiled constraints are kept
 */
public record CompileLimits(
    Duration time,
    int sourceChars,
    int grammarSize,
    int lexerFuel,
    int lexerStates,
    int stepLexerFuel,
    int stepItems,
    int rowItems,
    Duration step,
    int cached) {

  public static final CompileLimits DEFAULT =
      new CompileLimits(
          Duration.ofMillis(700),
          1 << 20,
          500_000,
          1_000_000,
          100_000,
          200_000,
          50_000,
          20_000,
          Duration.ofMillis(40),
          128);

  /** In the order of the native library. */
  long[] toNative() {
    return new long[] {
      rowItems, lexerFuel, stepLexerFuel, stepItems, lexerStates, grammarSize, step.toNanos() / 1000
    };
  }
}
