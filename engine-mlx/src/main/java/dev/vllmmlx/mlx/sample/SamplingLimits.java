package dev.vllmmlx.mlx.sample;

import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.Sampling;

/** What values of {@link Sampling} can be served. */
public final class SamplingLimits {
  private SamplingLimits() {}

  /**
   * @param vocabularySize ids are below it
   * @throws EngineException.InvalidRequest that names the first field that cannot be served
   */
  public static void check(Sampling sampling, int vocabularySize) {
    require(
        finite(sampling.temperature()) && sampling.temperature() >= 0,
        "temperature",
        "a finite number, at least 0");
    require(sampling.topP() >= 0 && sampling.topP() <= 1, "top_p", "from 0 to 1");
    require(sampling.topK() >= 0, "top_k", "at least 0");
    require(sampling.minP() >= 0 && sampling.minP() <= 1, "min_p", "from 0 to 1");
    require(
        finite(sampling.repetitionPenalty()) && sampling.repetitionPenalty() > 0,
        "repetition_penalty",
        "a finite number above 0");
    require(finite(sampling.presencePenalty()), "presence_penalty", "a finite number");
    require(finite(sampling.frequencyPenalty()), "frequency_penalty", "a finite number");
    sampling
        .logitBias()
        .forEach(
            (id, bias) -> {
              require(
                  id >= 0 && id < vocabularySize,
                  "logit_bias",
                  "by token ids from 0 to %d, and %d is none".formatted(vocabularySize - 1, id));
              require(finite(bias), "logit_bias", "finite numbers");
            });
  }

  private static boolean finite(float value) {
    return Float.isFinite(value);
  }

  private static void require(boolean holds, String field, String what) {
    if (!holds) {
      throw new EngineException.InvalidRequest(field, "%s must be %s".formatted(field, what));
    }
  }
}
