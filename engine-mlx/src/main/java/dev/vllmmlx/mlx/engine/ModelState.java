package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.mlx.cache.SequenceState;

/**
 * A model after some tokens, ready to go on from there: its KV cache and the passes over it. To be
 * used on the engine's own thread only.
 */
interface ModelState extends SequenceState<ModelState> {

  /** Sees further tokens. If it throws, the state is of no more use but to be closed. */
  void advance(int[] tokens);

  /**
   * Sees further tokens and scores what may follow.
   *
   * @param logits is filled with a score for each id of the vocabulary
   */
  void advance(int[] tokens, float[] logits);
}
