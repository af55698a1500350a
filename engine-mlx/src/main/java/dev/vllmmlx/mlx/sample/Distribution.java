package dev.vllmmlx.mlx.sample;

import dev.vllmmlx.spi.Sampling;

/**
 * The draw at a temperature above zero: scores become weights relative to the likeliest token's, in
 * the same array; what top-k, top-p and min-p leave out weighs nothing; one uniform number picks.
 */
final class Distribution {
  private Distribution() {}

  /**
   * @param logits lost: they are turned into weights
   * @param highest the greatest of them, finite
   * @param uniform in [0, 1)
   */
  static int draw(float[] logits, float highest, Sampling sampling, double uniform) {
    if (sampling.topK() > 0 && sampling.topK() < logits.length) {
      var ids = Cut.highest(logits, sampling.topK()).ids(logits);
      var kept = new float[ids.length];
      for (var i = 0; i < ids.length; i++) {
        kept[i] = logits[ids[i]];
      }
      return ids[drawIndex(kept, highest, sampling, uniform)];
    }
    return drawIndex(logits, highest, sampling, uniform);
  }

  private static int drawIndex(float[] values, float highest, Sampling sampling, double uniform) {
    weigh(values, highest, sampling.temperature());
    if (sampling.topP() < 1) {
      // Half a unit of the float less, so that 0.3f is reached by what sums to 0.3.
      var share = sampling.topP() - Math.ulp(sampling.topP()) / 2.0;
      Cut.reaching(values, share * sum(values)).excludeRest(values);
    }
    if (sampling.minP() > 0) {
      dropBelow(values, sampling.minP());
    }
    return pick(values, uniform * sum(values));
  }

  private static void weigh(float[] logits, float highest, float temperature) {
    var inverse = 1.0 / temperature;
    for (var id = 0; id < logits.length; id++) {
      var x = (logits[id] - (double) highest) * inverse;
      logits[id] = x > Exponential.UNDERFLOW ? (float) Exponential.of(x) : 0;
    }
  }

  /** The likeliest weighs 1, so a weight is the ratio that min-p speaks of. */
  private static void dropBelow(float[] weights, float minP) {
    for (var id = 0; id < weights.length; id++) {
      if (weights[id] < minP) {
        weights[id] = 0;
      }
    }
  }

  private static double sum(float[] weights) {
    var sum = 0.0;
    for (var weight : weights) {
      sum += weight;
    }
    return sum;
  }

  /** The token in whose stretch {@code target} falls when weights are laid end to end by id. */
  private static int pick(float[] weights, double target) {
    var sum = 0.0;
    var last = 0;
    for (var id = 0; id < weights.length; id++) {
      if (weights[id] > 0) {
        sum += weights[id];
        last = id;
        if (sum > target) {
          return id;
        }
      }
    }
    // Only where rounding made the target the whole sum.
    return last;
  }
}
