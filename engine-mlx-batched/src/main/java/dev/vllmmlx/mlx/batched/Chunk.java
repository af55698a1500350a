package dev.vllmmlx.mlx.batched;

/**
 * Neighbouring tokens of one sequence that a step computes.
 *
 * @param row the sequence
 * @param tokens which follow those that are stored
 * @param last whether these are all that there are: the next token is to be chosen
 */
record Chunk(Row row, int[] tokens, boolean last) {

  /** The position of its first token. */
  int start() {
    return row.kv().length();
  }
}
