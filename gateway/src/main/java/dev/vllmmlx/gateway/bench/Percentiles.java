package dev.vllmmlx.gateway.bench;

import java.util.Collection;

/** Of some durations, in seconds; all 0 where there are none. */
record Percentiles(double p50, double p95, double p99, double max) {

  static Percentiles of(Collection<Double> values) {
    var sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return new Percentiles(at(sorted, 0.5), at(sorted, 0.95), at(sorted, 0.99), at(sorted, 1));
  }

  /** The smallest value that at least the share {@code p} of all does not exceed. */
  private static double at(double[] sorted, double p) {
    return sorted.length == 0 ? 0 : sorted[Math.max(0, (int) Math.ceil(p * sorted.length) - 1)];
  }
}
