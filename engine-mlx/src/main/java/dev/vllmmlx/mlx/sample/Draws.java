package dev.vllmmlx.mlx.sample;

import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Uniform numbers of one sequence, counted rather than chained: the number at a step is a function
 * of key and step alone. So nothing that happens to other sequences shifts it, and a sequence that
 * is preempted or recomputed goes on where it was.
 *
 * <p>The function is SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number
 * Generators, OOPSLA 2014) with Stafford's mix 13, written out in integer arithmetic: the same seed
 * gives the same numbers on every JDK and machine.
 *
 * @param key what tells this stream from others
 */
record Draws(long key) {
  private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

  /**
   * The stream of a request's answer. Answers of one request that share a seed draw differently.
   *
   * @param seed absent for a stream that nobody can repeat
   */
  static Draws of(OptionalLong seed, int choice) {
    var start = seed.isPresent() ? seed.getAsLong() : ThreadLocalRandom.current().nextLong();
    return new Draws(mix(mix(start) + choice));
  }

  /** A number in [0, 1), a multiple of 2^-53. */
  double uniform(int step) {
    return (mix(key + (step + 1) * GOLDEN_GAMMA) >>> 11) * 0x1.0p-53;
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
