package dev.vllmmlx.mlx.batched;

import com.sun.management.OperatingSystemMXBean;
import dev.vllmmlx.mlx.cache.KvCache;
import dev.vllmmlx.mlx.engine.OptionReader;
import dev.vllmmlx.mlx.model.KvLayer;
import java.lang.management.ManagementFactory;
import java.util.List;

/**
 * How many tokens' keys and values may be stored in all.
 *
 * @param tokens at least one block
 * @param bytesPerToken in all layers
 */
record KvBudget(long tokens, long bytesPerToken) {

  /** Of the machine's memory, or the container's, where the user names no number. */
  private static final int SHARE = 4;

  long bytes() {
    return tokens * bytesPerToken;
  }

  /**
   * What was asked for, or a quarter of the memory; no more than all sequences could ever fill.
   *
   * @throws dev.vllmmlx.spi.EngineException.InvalidRequest if not one block fits
   */
  static KvBudget of(List<KvLayer> layers, int contextLength, BatchedSettings settings) {
    var bytesPerToken = layers.stream().mapToLong(KvLayer::bytesPerToken).sum();
    var bytes = settings.kvBytes().orElseGet(() -> machineMemory() / SHARE);
    var unit = settings.paged() ? settings.blockSize() : KvCache.STEP;
    var useful = (long) settings.maxSequences() * (contextLength / unit + 1L) * unit;
    var tokens = Math.min(bytes / bytesPerToken, useful);
    if (tokens < unit) {
      throw OptionReader.wrong(
          "kv-cache-memory",
          "is %d bytes, and %d tokens, the least, take %d"
              .formatted(bytes, unit, unit * bytesPerToken));
    }
    return new KvBudget(tokens, bytesPerToken);
  }

  private static long machineMemory() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getTotalMemorySize();
  }
}
