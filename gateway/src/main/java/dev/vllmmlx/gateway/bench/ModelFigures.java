package dev.vllmmlx.gateway.bench;

import java.util.List;
import java.util.OptionalDouble;

/**
 * What was measured of a model.
 *
 * @param decode tokens a second of one sequence, the median of the runs
 * @param memoryBandwidth bytes a second that this machine reads, the median of measurements between
 *     the runs
 * @param weightBytes what the engine says that its weights take; empty where it does not say
 * @param peakBytes the most memory that the process ever had resident; empty where the system does
 *     not say
 */
record ModelFigures(
    String model,
    String engine,
    List<Prefill> prefills,
    int decodeTokens,
    double decode,
    double memoryBandwidth,
    OptionalDouble weightBytes,
    OptionalDouble peakBytes) {

  /**
   * @param tokens length of the prompt
   * @param rate tokens a second, the median of the runs
   */
  record Prefill(int tokens, double rate) {}

  /** How much of the memory's speed decoding uses: each token reads all weights once. */
  OptionalDouble bandwidthShare() {
    return weightBytes.isPresent()
        ? OptionalDouble.of(weightBytes.getAsDouble() * decode / memoryBandwidth)
        : OptionalDouble.empty();
  }
}
