package dev.vllmmlx.spi;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/**
 * How an engine fares.
 *
 * @param state whether it can take requests
 * @param reason why not, for people; empty when it can
 * @param sinceAlive how long ago the thread that generates was seen alive, by itself: it says so at
 *     each step, and at least once a second when idle
 * @param running requests being generated
 * @param waiting requests that wait for their turn
 * @param gauges further figures by name, in {@code snake_case} with their unit: {@code
 *     live_handles}, {@code mlx_active_bytes}
 */
public record EngineStatus(
    State state,
    String reason,
    Duration sinceAlive,
    int running,
    int waiting,
    Map<String, Double> gauges) {

  public EngineStatus {
    Objects.requireNonNull(state);
    Objects.requireNonNull(reason);
    Objects.requireNonNull(sinceAlive);
    gauges = Map.copyOf(gauges);
  }

  /** Whether an engine can take requests. */
  public enum State {
    READY,
    /** It cannot go on by itself. */
    FAILED,
    CLOSED
  }
}
