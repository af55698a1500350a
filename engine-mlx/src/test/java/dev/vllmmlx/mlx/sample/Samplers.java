package dev.vllmmlx.mlx.sample;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;

/** Samplers and scores for tests. */
final class Samplers {
  private Samplers() {}

  static Sampler of(Sampling sampling, int... prompt) {
    return Sampler.of(request(sampling), prompt, Set.of(), List.of());
  }

  static Sampler withLogprobs(Sampling sampling, int top) {
    return Sampler.of(request(sampling, 0, top), new int[0], Set.of(), List.of());
  }

  static GenerationRequest request(Sampling sampling) {
    return request(sampling, 0);
  }

  static GenerationRequest request(Sampling sampling, int minTokens) {
    return request(sampling, minTokens, OptionalInt.empty());
  }

  static GenerationRequest request(Sampling sampling, int minTokens, int topLogprobs) {
    return request(sampling, minTokens, OptionalInt.of(topLogprobs));
  }

  private static GenerationRequest request(
      Sampling sampling, int minTokens, OptionalInt topLogprobs) {
    return new GenerationRequest(
        "test",
        0,
        new Prompt.Tokens(new int[0]),
        sampling,
        new StopConditions(100, minTokens, List.of(), Set.of(), false),
        new Constraint.None(),
        topLogprobs,
        Optional.empty(),
        0,
        "");
  }

  static Sampling hot(long seed) {
    return new Sampling(1, 1, 0, 0, 1, 0, 0, Map.of(), OptionalLong.of(seed));
  }

  static float[] logs(double... probabilities) {
    var logits = new float[probabilities.length];
    for (var id = 0; id < logits.length; id++) {
      logits[id] = (float) Math.log(probabilities[id]);
    }
    return logits;
  }

  static float[] random(Random random, int size) {
    var logits = new float[size];
    for (var id = 0; id < size; id++) {
      logits[id] = (float) (random.nextGaussian() * 3);
    }
    return logits;
  }

  static Variation with(Sampling sampling) {
    return new Variation(sampling);
  }

  /** A sampling with some of its fields changed. */
  record Variation(Sampling sampling) {

    Variation repetition(float penalty) {
      return new Variation(
          new Sampling(
              sampling.temperature(),
              sampling.topP(),
              sampling.topK(),
              sampling.minP(),
              penalty,
              sampling.presencePenalty(),
              sampling.frequencyPenalty(),
              sampling.logitBias(),
              sampling.seed()));
    }

    Variation bias(Map<Integer, Float> bias) {
      return new Variation(
          new Sampling(
              sampling.temperature(),
              sampling.topP(),
              sampling.topK(),
              sampling.minP(),
              sampling.repetitionPenalty(),
              sampling.presencePenalty(),
              sampling.frequencyPenalty(),
              bias,
              sampling.seed()));
    }

    Sampling build() {
      return sampling;
    }
  }
}
