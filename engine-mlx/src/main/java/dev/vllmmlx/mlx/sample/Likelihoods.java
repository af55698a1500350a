package dev.vllmmlx.mlx.sample;

import java.util.Arrays;
import java.util.Comparator;

/**
 * Natural logarithms of probabilities at one step, by softmax over the processed scores.
 *
 * @param chosen the chosen token's
 * @param topIds the likeliest tokens, the likeliest first and of equals the lowest id
 * @param topLogprobs theirs
 */
public record Likelihoods(float chosen, int[] topIds, float[] topLogprobs) {

  /**
   * @param logits as processed, before temperature and truncation
   * @param highest the greatest of them, finite
   * @param top how many to name
   */
  static Likelihoods of(float[] logits, float highest, int token, int top) {
    var normalizer = highest + StrictMath.log(massRelativeTo(highest, logits));
    var ids = likeliest(logits, Math.min(top, logits.length));
    var logprobs = new float[ids.length];
    for (var i = 0; i < ids.length; i++) {
      logprobs[i] = (float) (logits[ids[i]] - normalizer);
    }
    return new Likelihoods((float) (logits[token] - normalizer), ids, logprobs);
  }

  private static double massRelativeTo(float highest, float[] logits) {
    var sum = 0.0;
    for (var logit : logits) {
      var x = logit - (double) highest;
      if (x > Exponential.UNDERFLOW) {
        sum += Exponential.of(x);
      }
    }
    return sum;
  }

  private static int[] likeliest(float[] logits, int count) {
    if (count == 0) {
      return new int[0];
    }
    return Arrays.stream(Cut.highest(logits, count).ids(logits))
        .boxed()
        .sorted(Comparator.comparing((Integer id) -> -logits[id]).thenComparing(id -> id))
        .mapToInt(Integer::intValue)
        .toArray();
  }
}
