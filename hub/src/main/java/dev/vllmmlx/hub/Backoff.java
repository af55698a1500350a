package dev.vllmmlx.hub;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How often, and after which waits, a request that failed for a passing reason is made again.
 *
 * @param attempts how often in all, the first one included
 * @param firstWait before the second attempt; each later wait is twice as long
 * @param longestWait no single wait is longer, and a server that asks for more is not waited for
 */
record Backoff(int attempts, Duration firstWait, Duration longestWait) {

  /** Five attempts over some 8 seconds; a {@code Retry-After} of up to a minute is honoured. */
  static final Backoff PATIENT = new Backoff(5, Duration.ofMillis(500), Duration.ofSeconds(60));

  /** One attempt, for when there is something to fall back on. */
  static final Backoff NONE = new Backoff(1, Duration.ZERO, Duration.ZERO);

  /**
   * A request that failed in a way that may pass: no connection, a broken one, silence, 408, 429 or
   * 5xx.
   */
  static final class Passing extends Exception {
    private static final long serialVersionUID = 1;
    private final transient Optional<Duration> retryAfter;

    Passing(String message) {
      this(message, Optional.empty());
    }

    Passing(String message, Throwable cause) {
      super(message, cause);
      this.retryAfter = Optional.empty();
    }

    Passing(String message, Optional<Duration> retryAfter) {
      super(message);
      this.retryAfter = retryAfter;
    }
  }

  /** One attempt. */
  @FunctionalInterface
  interface Attempt<T> {
    T run() throws Passing;
  }

  /** Attempts until one succeeds; throws {@link HubException.Unreachable} once it is enough. */
  <T> T run(Attempt<T> attempt) {
    for (var failures = 1; ; failures++) {
      try {
        return attempt.run();
      } catch (Passing e) {
        waitAfter(failures, e);
      }
    }
  }

  /**
   * Waits after the n-th failure in a row, counted from 1; throws if there shall be no further
   * attempt.
   */
  void waitAfter(int failures, Passing failure) {
    var wait = failure.retryAfter.orElseGet(() -> wait(failures));
    if (failures >= attempts || wait.compareTo(longestWait) > 0) {
      throw new HubException.Unreachable(failure.getMessage(), failure);
    }
    try {
      Thread.sleep(wait);
    } catch (InterruptedException e) {
      throw new HubException.Interrupted("Interrupted while waiting for the hub.", e);
    }
  }

  // Up to a quarter more or less, so that clients which failed together do not come back together.
  private Duration wait(int failures) {
    var nanos = firstWait.toNanos() << Math.min(failures - 1, 20);
    var capped = Math.min(nanos, longestWait.toNanos() / 2);
    return Duration.ofNanos((long) (capped * ThreadLocalRandom.current().nextDouble(0.75, 1.25)));
  }
}
