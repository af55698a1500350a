package dev.vllmmlx.mlx.sample;

import java.util.stream.IntStream;

/**
 * Where the likeliest tokens end, with tokens ordered by value, the highest first, and equal ones
 * by id, the lowest first. Found by radix selection instead of a sort: values are counted by their
 * leading bits, those of the bucket where the end falls by their middle bits, and so on.
 *
 * @param key the value of the last token inside, in an order-preserving form
 * @param ties how many of the tokens of just that value are inside
 */
record Cut(int key, int ties) {
  private static final int LEVELS = 3;
  private static final int[] SHIFT = {21, 10, 0};
  private static final int[] BITS = {11, 11, 10};

  /** Inside are the {@code count} highest. */
  static Cut highest(float[] values, int count) {
    return select(values, count, false);
  }

  /**
   * Inside are the fewest of the highest whose sum is at least {@code sum}.
   *
   * @param values none negative
   */
  static Cut reaching(float[] values, double sum) {
    return select(values, sum, true);
  }

  private static Cut select(float[] values, double target, boolean byMass) {
    var candidates = values;
    var count = values.length;
    var above = 0.0;
    var key = 0;
    for (var level = 0; ; level++) {
      var shift = SHIFT[level];
      var mask = (1 << BITS[level]) - 1;
      var counts = new int[mask + 1];
      var masses = new double[mask + 1];
      for (var i = 0; i < count; i++) {
        var at = (key(candidates[i]) >>> shift) & mask;
        counts[at]++;
        masses[at] += byMass ? candidates[i] : 1;
      }
      var bucket = mask;
      var lowest = lowestFilled(counts);
      while (bucket > lowest && (counts[bucket] == 0 || above + masses[bucket] < target)) {
        above += masses[bucket--];
      }
      key |= bucket << shift;
      if (level == LEVELS - 1) {
        return new Cut(key, ties(target - above, masses[bucket], counts[bucket]));
      }
      var rest = new float[counts[bucket]];
      var filled = 0;
      for (var i = 0; i < count; i++) {
        if (((key(candidates[i]) >>> shift) & mask) == bucket) {
          rest[filled++] = candidates[i];
        }
      }
      candidates = rest;
      count = filled;
    }
  }

  /** How many of {@code count} equal masses it takes to reach {@code missing}; at least one. */
  private static int ties(double missing, double mass, int count) {
    if (missing <= 0) {
      // All masses may be zero then, and their quotient no number.
      return 1;
    }
    return (int) Math.clamp(Math.ceil(missing / (mass / count)), 1, count);
  }

  private static int lowestFilled(int[] counts) {
    var at = 0;
    while (counts[at] == 0) {
      at++;
    }
    return at;
  }

  /** Sets the values that are outside to zero. */
  void excludeRest(float[] values) {
    var left = ties;
    var last = key ^ Integer.MIN_VALUE;
    for (var id = 0; id < values.length; id++) {
      var order = key(values[id]) ^ Integer.MIN_VALUE;
      if (order < last || (order == last && left-- <= 0)) {
        values[id] = 0;
      }
    }
  }

  /** The ids that are inside, ascending. */
  int[] ids(float[] values) {
    var ids = IntStream.builder();
    var left = ties;
    var last = key ^ Integer.MIN_VALUE;
    for (var id = 0; id < values.length; id++) {
      var order = key(values[id]) ^ Integer.MIN_VALUE;
      if (order > last || (order == last && left-- > 0)) {
        ids.add(id);
      }
    }
    return ids.build().toArray();
  }

  /** Bits that are ordered, as unsigned numbers, as the floats are. */
  private static int key(float value) {
    // Adding zero makes one zero of two.
    var bits = Float.floatToRawIntBits(value + 0f);
    return bits ^ ((bits >> 31) | Integer.MIN_VALUE);
  }
}
