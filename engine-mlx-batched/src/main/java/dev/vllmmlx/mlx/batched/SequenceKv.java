package dev.vllmmlx.mlx.batched;

import java.util.Optional;

/**
 * Keys and values of one sequence. On the engine's thread; when the sequence has ended, one of
 * {@link #release} and {@link #discard}.
 */
interface SequenceKv {

  /** Tokens that are stored, from the sequence's first on. */
  int length();

  /**
   * Makes room for the next tokens.
   *
   * @return false if there is no memory; nothing has changed then
   */
  boolean reserve(int tokens);

  /**
   * A pass has stored these in the reserved room.
   *
   * @param tokens the sequence's next
   */
  void appended(int[] tokens);

  /** Another sequence with the same tokens stored; empty if there is no memory. */
  Optional<SequenceKv> fork();

  /** The sequence is done with them; they may serve another that begins alike. */
  void release();

  /** Nobody may use what is stored and not known to be whole. */
  void discard();
}
