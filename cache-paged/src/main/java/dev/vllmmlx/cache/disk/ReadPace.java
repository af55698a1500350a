package dev.vllmmlx.cache.disk;

/** Whether reading a block is quicker than computing it, by the latest of both. */
final class ReadPace {

  /** How much the latest counts. */
  private static final double LATEST = 0.2;

  /** Where reading does not pay, one block in so many is read all the same: things change. */
  private static final int TRIAL = 64;

  private final int blockSize;
  private double readNanos;
  private double computeNanos;
  private int declined;

  ReadPace(int blockSize) {
    this.blockSize = blockSize;
  }

  /** A block was read. */
  void read(long nanos) {
    readNanos = mean(readNanos, nanos);
  }

  /** A step computed so many rows; a step of few says nothing of what a row of a prompt costs. */
  void computed(int rows, long nanos) {
    if (rows >= blockSize) {
      computeNanos = mean(computeNanos, (double) nanos / rows * blockSize);
    }
  }

  /** Whether a block should be read; yes as long as nothing is known. */
  boolean pays() {
    if (readNanos == 0 || computeNanos == 0 || readNanos < computeNanos) {
      return true;
    }
    return ++declined % TRIAL == 0;
  }

  private static double mean(double before, double latest) {
    return before == 0 ? latest : before + LATEST * (latest - before);
  }
}
