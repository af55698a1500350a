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
   * Takes in more of the sequence's beginning from a place slower than memory, as far as there is
   * time at this step's boundary. For a sequence of which nothing was computed since it was opened.
   *
   * @param tokens the same as when it was opened
   * @return whether there is more, for which it is better to wait than to compute it
   */
  default boolean load(int[] tokens) {
    return false;
  }

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
