package dev.vllmmlx.spi;

import java.time.Duration;
import java.util.Objects;

/**
 * Where the time of one generation went.
 *
 * @param queued from the request's arrival until the engine took it up
 * @param prefill from then until the first token
 * @param decode from the first token to the last
 */
public record Timings(Duration queued, Duration prefill, Duration decode) {
  public Timings {
    Objects.requireNonNull(queued);
    Objects.requireNonNull(prefill);
    Objects.requireNonNull(decode);
  }
}
