package dev.vllmmlx.gateway.pipeline;

import java.time.Duration;
import java.util.Objects;

/**
 * How a stream behaves in time.
 *
 * @param interval tokens per chunk
 * @param keepAlive after so long without a chunk a comment is sent, for proxies that cut silence
 * @param stalled after so long without the client reading it is cut off
 */
public record Pace(int interval, Duration keepAlive, Duration stalled) {
  public Pace {
    Objects.requireNonNull(keepAlive);
    Objects.requireNonNull(stalled);
  }
}
