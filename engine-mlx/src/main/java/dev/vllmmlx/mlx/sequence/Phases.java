package dev.vllmmlx.mlx.sequence;

import dev.vllmmlx.spi.Timings;
import java.time.Duration;

/** When a request reached what, by {@link System#nanoTime}. */
final class Phases {
  private final long arrived;
  private long takenUp;
  private long firstToken;
  private long lastToken;

  Phases(long arrived) {
    this.arrived = arrived;
  }

  /** The first time counts. */
  void takenUp() {
    if (takenUp == 0) {
      takenUp = System.nanoTime();
    }
  }

  void token() {
    lastToken = System.nanoTime();
    if (firstToken == 0) {
      firstToken = lastToken;
    }
  }

  /** As far as it came: what was never begun took no time. */
  Timings timings() {
    var now = System.nanoTime();
    if (takenUp == 0) {
      return new Timings(Duration.ofNanos(now - arrived), Duration.ZERO, Duration.ZERO);
    }
    return new Timings(
        Duration.ofNanos(takenUp - arrived),
        Duration.ofNanos((firstToken == 0 ? now : firstToken) - takenUp),
        Duration.ofNanos(lastToken - firstToken));
  }
}
