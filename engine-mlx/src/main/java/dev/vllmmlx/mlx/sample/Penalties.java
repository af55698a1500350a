package dev.vllmmlx.mlx.sample;

import dev.vllmmlx.spi.Sampling;

/**
 * Makes tokens that were there less likely: the repetition penalty over prompt and answer (Keskar
 * et al., CTRL, 2019, section 4.1, with the sign rule that all servers use), then the frequency and
 * presence penalties over the answer alone (OpenAI's). Order and scope are vLLM's.
 */
record Penalties(float repetition, float frequency, float presence) implements LogitsProcessor {

  static boolean asked(Sampling sampling) {
    return sampling.repetitionPenalty() != 1
        || sampling.frequencyPenalty() != 0
        || sampling.presencePenalty() != 0;
  }

  static Penalties of(Sampling sampling) {
    return new Penalties(
        sampling.repetitionPenalty(), sampling.frequencyPenalty(), sampling.presencePenalty());
  }

  @Override
  public void process(float[] logits, TokenHistory history) {
    if (repetition != 1) {
      var seen = history.seen();
      for (var id = seen.nextSetBit(0); id >= 0; id = seen.nextSetBit(id + 1)) {
        logits[id] = logits[id] > 0 ? logits[id] / repetition : logits[id] * repetition;
      }
    }
    if (frequency != 0 || presence != 0) {
      history.answerCounts().forEach((id, count) -> logits[id] -= frequency * count + presence);
    }
  }
}
