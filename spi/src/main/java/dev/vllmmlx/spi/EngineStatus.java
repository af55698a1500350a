package dev.vllmmlx.spi;

import java.time.Duration;
import java.util.List;
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
 *     live_handles}, {@code mlx_active_bytes}. Those that only grow end in {@code _total}
 * @param requests how far each has come, the oldest first
 */
public record EngineStatus(
    State state,
    String reason,
    Duration sinceAlive,
    int running,
    int waiting,
    Map<String, Double> gauges,
    List<RequestProgress> requests) {

  public EngineStatus {
    Objects.requireNonNull(state);
    Objects.requireNonNull(reason);
    Objects.requireNonNull(sinceAlive);
    gauges = Map.copyOf(gauges);
    requests = List.copyOf(requests);
  }

  /** Of an engine that does not say how far each request has come. */
  public EngineStatus(
      State state,
      String reason,
      Duration sinceAlive,
      int running,
      int waiting,
      Map<String, Double> gauges) {
    this(state, reason, sinceAlive, running, waiting, gauges, List.of());
  }

  /** Whether an engine can take requests. */
  public enum State {
    READY,
    /** It cannot go on by itself. */
    FAILED,
    CLOSED
  }
}
