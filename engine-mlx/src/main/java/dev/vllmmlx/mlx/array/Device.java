package dev.vllmmlx.mlx.array;

/** Where MLX computes. */
public enum Device {
  CPU,
  /** Metal on Apple silicon. */
  GPU;

  /** The GPU where MLX has one, the CPU elsewhere. Any thread. */
  public static Device best() {
    return Native.hasGpu() ? GPU : CPU;
  }
}
