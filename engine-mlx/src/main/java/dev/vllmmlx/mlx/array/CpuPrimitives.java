package dev.vllmmlx.mlx.array;

import java.lang.foreign.Arena;

/**
 * Settings of this project's own CPU primitives, which stand in for MLX's slow ones on a CPU. They
 * hold for the process; any thread may change them, best before any work.
 */
public final class CpuPrimitives {

  /** The system property that turns them off with {@code false}, to compare. */
  public static final String PROPERTY = "vllmmlx.primitives";

  private CpuPrimitives() {}

  /** Whether functions called from now on take them. */
  public static void enable(boolean on) {
    Native.run(Native.USE_PRIMITIVES, on ? 1 : 0);
  }

  /** Whether functions that are called on the calling owner thread take them. */
  public static boolean enabled() {
    return Native.primitivesWanted();
  }

  /**
   * How many threads compute, the stream's own included.
   *
   * @param count 0 for one for each physical core
   */
  public static void setThreads(int count) {
    if (count < 0) {
      throw new IllegalArgumentException("threads: " + count + " is negative");
    }
    Native.run(Native.SET_THREADS, count);
  }

  public static int threads() {
    return Native.threads();
  }

  /**
   * The instruction set whose kernels run: {@code portable}, {@code avx2}, {@code avx512}, {@code
   * avx512vnni}, {@code neon} or {@code neondot}.
   */
  public static String kernels() {
    return Native.kernels();
  }

  /**
   * What results are computed by, to the last bit: the libraries, the device and the kernels. Two
   * processes with the same text compute the same bits. To be called on an owner thread.
   */
  public static String computedBy() {
    return "%s %s %s"
        .formatted(
            NativeLibraries.identity(), Device.best(), enabled() ? kernels() : "no primitives");
  }

  /**
   * Chooses kernels, for tests: {@code auto} is the best of this machine.
   *
   * @throws MlxException where the machine does not have them
   */
  public static void chooseKernels(String name) {
    try (var arena = Arena.ofConfined()) {
      Native.run(Native.CHOOSE_KERNELS, arena.allocateFrom(name).address());
    }
  }
}
