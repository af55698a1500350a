package dev.vllmmlx.text.grammar;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A constraint and how far a text has come in it: what may follow, token by token.
 *
 * <p>Belongs to one thread at a time. After {@link ConstraintException.Stuck} it can only be
 * closed.
 */
public interface ConstraintMatcher extends AutoCloseable {

  /**
   * Writes which tokens may follow: bit {@code id % 32} of int {@code id / 32}. Ids without a token
   * may never follow. Every end of a text may follow exactly when {@link #isAccepting}.
   *
   * @param bits off-heap ints, at least (vocabulary + 31) / 32 of them; what is beyond is set to 0
   * @throws ConstraintException.Stuck when none may
   */
  void mask(MemorySegment bits);

  /** The same on the heap: bit {@code id % 64} of {@code long} {@code id / 64}. */
  void mask(long[] bits);

  /**
   * Goes on by one token.
   *
   * @return whether it fits; where not, nothing has changed
   */
  boolean accept(int token);

  /**
   * Goes on by tokens, up to the first that does not fit.
   *
   * @return how many fit
   */
  int accept(int[] tokens);

  /** Whether the text is whole as it is: an end may follow. */
  boolean isAccepting();

  /** Whether the text is whole and nothing but an end may follow. */
  boolean isComplete();

  /**
   * Tokens that must follow, which need no sampling: those the tokenizer itself would give for the
   * forced text, of which what comes later can change none. Often none, and none where only an end
   * may follow. They are not accepted yet.
   */
  int[] forced();

  /**
   * Takes back the last tokens.
   *
   * @param tokens at most as many as were accepted
   */
  void rollback(int tokens);

  /** An independent matcher at the same place. */
  ConstraintMatcher copy();

  /** What the constraint asks for and the masks do not keep; empty for a strict one. */
  List<IgnoredKeyword> ignored();

  @Override
  void close();
}
