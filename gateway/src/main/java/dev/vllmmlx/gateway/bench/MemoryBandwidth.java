package dev.vllmmlx.gateway.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;

/** How fast all cores together read memory: the limit of a decode step, which reads all weights. */
final class MemoryBandwidth {
  private static final long BYTES = 1L << 30; // far more than any cache holds
  private static final int ROUNDS = 5;

  private MemoryBandwidth() {}

  /** Bytes a second, the best of some rounds. */
  static double measure() throws InterruptedException {
    var threads = Runtime.getRuntime().availableProcessors();
    try (var arena = Arena.ofShared()) {
      var memory = arena.allocate(BYTES, 4096);
      memory.fill((byte) 1); // pages that were never written are all one page
      var best = Double.MAX_VALUE;
      for (var round = 0; round < ROUNDS; round++) {
        best = Math.min(best, seconds(memory, threads));
      }
      return BYTES / best;
    }
  }

  private static double seconds(MemorySegment memory, int threads) throws InterruptedException {
    var share = memory.byteSize() / threads / 64 * 64;
    var readers = new ArrayList<Thread>();
    var sums = new long[threads];
    var start = System.nanoTime();
    for (var i = 0; i < threads; i++) {
      var number = i;
      var part = memory.asSlice(i * share, share);
      readers.add(Thread.ofPlatform().start(() -> sums[number] = sum(part)));
    }
    for (var reader : readers) {
      reader.join();
    }
    var seconds = (System.nanoTime() - start) / 1e9;
    for (var sum : sums) {
      if (sum == 0) {
        throw new AssertionError("nothing was read");
      }
    }
    return seconds;
  }

  /** Eight sums at once, so that loads wait for the memory and not for an addition. */
  private static long sum(MemorySegment part) {
    long a = 0;
    long b = 0;
    long c = 0;
    long d = 0;
    long e = 0;
    long f = 0;
    long g = 0;
    long h = 0;
    for (var i = 0L; i < part.byteSize(); i += 64) {
      a += part.get(ValueLayout.JAVA_LONG, i);
      b += part.get(ValueLayout.JAVA_LONG, i + 8);
      c += part.get(ValueLayout.JAVA_LONG, i + 16);
      d += part.get(ValueLayout.JAVA_LONG, i + 24);
      e += part.get(ValueLayout.JAVA_LONG, i + 32);
      f += part.get(ValueLayout.JAVA_LONG, i + 40);
      g += part.get(ValueLayout.JAVA_LONG, i + 48);
      h += part.get(ValueLayout.JAVA_LONG, i + 56);
    }
    return a + b + c + d + e + f + g + h;
  }
}
