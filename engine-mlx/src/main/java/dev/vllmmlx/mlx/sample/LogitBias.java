package dev.vllmmlx.mlx.sample;

import java.util.Map;

/** Adds a number to the scores of some ids. */
record LogitBias(Map<Integer, Float> byId) implements LogitsProcessor {

  @Override
  public void process(float[] logits, TokenHistory history) {
    byId.forEach((id, bias) -> logits[id] += bias);
  }
}
