package dev.vllmmlx.text.parts;

/**
 * Reads one answer. Text is held back only while it could still be the beginning of markup. For one
 * answer and one thread at a time.
 */
public interface PartReader {

  /**
   * @param text the next piece of the answer, which may be empty; a character of two UTF-16 units
   *     is not cut
   */
  void feed(String text, Parts out);

  /**
   * The answer is over: what was held back is decided. Called once.
   *
   * @param cut whether the model would have gone on; markup that it had begun is then dropped, and
   *     is otherwise kept as text
   */
  void finish(boolean cut, Parts out);

  /** Takes all text for content. */
  static PartReader ofContent() {
    return new PartReader() {
      @Override
      public void feed(String text, Parts out) {
        out.content(text);
      }

      @Override
      public void finish(boolean cut, Parts out) {}
    };
  }
}
