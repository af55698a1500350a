package dev.vllmmlx.mlx.array;

/**
 * What MLX holds in this process.
 *
 * @param liveHandles arrays that Java holds and has not freed
 * @param activeBytes memory of arrays in use that MLX's allocator has given out, all of it from the
 *     start, also where the system gives a page only when it is written to ({@link Mlx#reserved}
 *     without primitives); what is mapped or reserved beside the allocator is not in it
 * @param peakBytes the most that {@code activeBytes} has been
 * @param cacheBytes memory that MLX keeps for its next arrays
 */
public record MemoryStatus(long liveHandles, long activeBytes, long peakBytes, long cacheBytes) {

  /** The state of this moment. Any thread. */
  public static MemoryStatus now() {
    return Native.memory();
  }
}
