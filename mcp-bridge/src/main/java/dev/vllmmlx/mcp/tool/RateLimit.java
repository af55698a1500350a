package dev.vllmmlx.mcp.tool;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** So many calls in any minute. For any thread. */
final class RateLimit {
  private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

  private final OptionalInt most;
  private final LongSupplier nanoTime;
  private final Deque<Long> calls = new ArrayDeque<>();

  RateLimit(OptionalInt most, LongSupplier nanoTime) {
    this.most = most;
    this.nanoTime = nanoTime;
  }

  /** Whether one more is allowed now, which is then counted. */
  synchronized boolean tryCall() {
    if (most.isEmpty()) {
      return true;
    }
    var now = nanoTime.getAsLong();
    while (!calls.isEmpty() && now - calls.getFirst() >= MINUTE) {
      calls.removeFirst();
    }
    if (calls.size() >= most.getAsInt()) {
      return false;
    }
    calls.addLast(now);
    return true;
  }
}
