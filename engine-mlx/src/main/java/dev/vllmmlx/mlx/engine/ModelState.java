package dev.vllmmlx.mlx.engine;

/**
 * A model after some tokens, ready to go on from there: its KV cache and the passes over it. To be
 * used on the engine's own thread only.
 */
interface ModelState extends AutoCloseable {

  /** Tokens that it has seen. */
  int length();

  /** Sees further tokens. If it throws, the state is of no more use but to be closed. */
  void advance(int[] tokens);

  /**
   * Sees further tokens and scores what may follow.
   *
   * @param logits is filled with a score for each id of the vocabulary
   */
  void advance(int[] tokens, float[] logits);

  /** Forgets all but the first {@code length} tokens. */
  void rewind(int length);

  /** Another state after the first {@code length} tokens of this one, which stays as it is. */
  ModelState fork(int length);

  /** Memory that it takes. */
  long bytes();

  @Override
  void close();
}
