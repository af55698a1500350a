package dev.vllmmlx.mlx.sample;

/** Excludes every token that would end the answer until it is long enough. */
record MinTokens(int minTokens, int[] endIds) implements LogitsProcessor {

  @Override
  public void process(float[] logits, TokenHistory history) {
    if (history.answerLength() < minTokens) {
      for (var id : endIds) {
        logits[id] = Float.NEGATIVE_INFINITY;
      }
    }
  }
}
