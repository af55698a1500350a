package dev.vllmmlx.mlx.sample;

/** Changes the scores of a step before a token is chosen from them. */
@FunctionalInterface
public interface LogitsProcessor {

  /**
   * @param logits a score for each id of the vocabulary, changed in place; negative infinity
   *     excludes a token
   * @param history the sequence so far
   */
  void process(float[] logits, TokenHistory history);
}
