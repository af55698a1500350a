package dev.vllmmlx.gateway.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;

/** How fast all cores together read memory: the limit of a decode step, which reads all weights. */
final class MemoryBandwidth implements AutoCloseable {
  private static final long BYTES = 1L << 29; // far more than a cache holds
  private static final int ROUNDS = 5;

  /** Of one comparison: the JVM compiles what calls it often to vector loads. */
  private static final long PIECE = 1 << 16;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory = arena.allocate(BYTES, 4096);

  MemoryBandwidth() {
    memory.fill((byte) 1); // pages that were never written are all one page
  }

  /** Bytes a second at this moment, the best of some rounds. */
  double measure() throws InterruptedException {
    var best = 0.0;
    for (var round = 0; round < ROUNDS; round++) {
      best = Math.max(best, bytesPerSecond(Runtime.getRuntime().availableProcessors()));
    }
    return best;
  }

  @Override
  public void close() {
    arena.close();
  }

  private double bytesPerSecond(int threads) throws InterruptedException {
    var share = memory.byteSize() / threads / (2 * PIECE) * (2 * PIECE);
    var readers = new ArrayList<Thread>();
    var alike = new boolean[threads];
    var start = System.nanoTime();
    for (var i = 0; i < threads; i++) {
      var number = i;
      var part = memory.asSlice(i * share, share);
      readers.add(Thread.ofPlatform().start(() -> alike[number] = halvesAlike(part)));
    }
    for (var reader : readers) {
      reader.join();
    }
    var seconds = (System.nanoTime() - start) / 1e9;
    for (var same : alike) {
      if (!same) {
        throw new AssertionError("memory does not hold what was written");
      }
    }
    return threads * share / seconds;
  }

  /**
   * Reads all of it: a comparison is what Java has of vector loads that wait for the memory alone.
   * A sum of longs reads half as fast.
   */
  private static boolean halvesAlike(MemorySegment part) {
    var half = part.byteSize() / 2;
    var alike = true;
    for (var at = 0L; at < half; at += PIECE) {
      var other = half + at;
      alike &= MemorySegment.mismatch(part, at, at + PIECE, part, other, other + PIECE) < 0;
    }
    return alike;
  }
}
