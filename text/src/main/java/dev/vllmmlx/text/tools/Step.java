package dev.vllmmlx.text.tools;

import dev.vllmmlx.text.parts.Scan;

/** Reads one piece of markup, once: a step has the state of what it reads. */
interface Step {

  enum Result {
    /** There was not enough text. */
    MORE,
    DONE,
    /** The text is something else. */
    FAILED
  }

  /**
   * Goes on reading. After {@link Result#MORE} it is called again when there is more text, or when
   * there will be none; it must then decide.
   */
  Result read(Scan in, Calls calls);

  /** What to return where text is missing. */
  static Result missing(Scan in) {
    return in.hasEnded() ? Result.FAILED : Result.MORE;
  }
}
