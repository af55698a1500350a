package dev.vllmmlx.spi;

import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * How a token is chosen from the model's scores, in this order: penalties, bias, constraint,
 * temperature, top-k, top-p, min-p, and one draw.
 *
 * @param temperature divides the scores; 0 takes the highest score (of equals the lowest id)
 * @param topP the smallest set of likeliest tokens whose probabilities reach this sum is kept, in
 *     (0, 1]; 1 keeps all
 * @param topK so many of the likeliest are kept; 0 keeps all
 * @param minP those at least so likely relative to the likeliest are kept, in [0, 1]; 0 keeps all
 * @param repetitionPenalty a score of a token in prompt or answer is divided by it when positive
 *     and multiplied when negative; 1 does nothing
 * @param presencePenalty is taken from the score of each token in the answer so far
 * @param frequencyPenalty is taken from it for each time the token is there
 * @param logitBias is added to the scores of these ids
 * @param seed two requests of the same seed, prompt and settings draw the same; absent for any draw
 */
public record Sampling(
    float temperature,
    float topP,
    int topK,
    float minP,
    float repetitionPenalty,
    float presencePenalty,
    float frequencyPenalty,
    Map<Integer, Float> logitBias,
    OptionalLong seed) {

  public Sampling {
    logitBias = Map.copyOf(logitBias);
    Objects.requireNonNull(seed);
  }

  /** The highest score at every step. */
  public static Sampling greedy() {
    return new Sampling(0, 1, 0, 0, 1, 0, 0, Map.of(), OptionalLong.empty());
  }
}
