package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.mlx.engine.ServedModel;
import java.util.List;
import java.util.Map;

/** A model that computes rows of many sequences together. On the engine's thread. */
interface BatchModel extends ServedModel {

  /** Where its sequences' keys and values are. */
  KvMemory memory();

  /**
   * Computes a step.
   *
   * @param chunks 1 or more, of different sequences, which have reserved room
   * @param logits for each chunk that is the last of its sequence, in their order: filled with a
   *     score for each id of the vocabulary
   * @throws RuntimeException if it cannot be computed; what is stored of these sequences is unknown
   *     then, and {@link KvMemory#reset} is due
   */
  void step(List<Chunk> chunks, float[][] logits);

  /** Nobody has asked for a while: gives memory back that is only kept for speed. */
  void rest();

  /** Figures for the status; any thread. */
  Map<String, Double> gauges();
}
