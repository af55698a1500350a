package dev.vllmmlx.text.jinja;

/**
 * How much one rendering may do. A template comes from whoever published the model, so that it may
 * neither loop nor grow without bound.
 *
 * @param steps expressions and statements evaluated, loop turns and items of lazy filters
 * @param outputCharacters UTF-16 units written by all output statements together, captured ones
 *     (macros, {@code set} blocks) included
 * @param valueCharacters UTF-16 units of a single string, or items of a single list, that an
 *     operator or filter may make
 * @param callDepth nested macro calls, {@code loop()} recursions and block references
 * @param rangeItems items of one {@code range}; Python's sandbox says 100,000
 * @param integerBits size of an integer, in bits
 */
public record TemplateLimits(
    long steps,
    long outputCharacters,
    int valueCharacters,
    int callDepth,
    int rangeItems,
    int integerBits) {

  public TemplateLimits {
    if (steps <= 0 || outputCharacters <= 0 || valueCharacters <= 0) {
      throw new IllegalArgumentException("limits are positive");
    }
    if (callDepth <= 0 || rangeItems <= 0 || integerBits < 64) {
      throw new IllegalArgumentException("limits are positive, integerBits at least 64");
    }
  }

  /** Room for the longest chats, and an end within seconds for a template that runs away. */
  public static TemplateLimits standard() {
    return new TemplateLimits(50_000_000, 64_000_000, 64_000_000, 150, 100_000, 1 << 16);
  }
}
