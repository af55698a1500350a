package dev.vllmmlx.gateway.pipeline;

import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Ends a call that takes too long: in all, or from one token of a choice to its next. The engine
 * has the deadline too; this one holds when the engine does not come to look at it. Confined to the
 * call's event loop.
 */
final class TimeLimits {
  private static final long NONE = -1;

  private final Vertx vertx;
  private final Optional<Duration> betweenTokens;
  private final Consumer<ApiError> expired;

  /** When the last token of each choice came that waits for another, in nanoseconds. */
  private final Map<ChoiceState, Long> lastTokens = new HashMap<>();

  private long totalTimer = NONE;
  private long tokenTimer = NONE;
  private boolean over;

  /**
   * @param expired told once at most, on the event loop
   */
  TimeLimits(Vertx vertx, Optional<Duration> betweenTokens, Consumer<ApiError> expired) {
    this.vertx = vertx;
    this.betweenTokens = betweenTokens;
    this.expired = expired;
  }

  void start(Optional<Duration> total) {
    total.ifPresent(
        limit -> totalTimer = vertx.setTimer(millis(limit.toNanos()), _ -> expire(timedOut())));
  }

  /**
   * @param nanos when a token of the choice came, as {@link System#nanoTime()}
   */
  void token(ChoiceState choice, long nanos) {
    if (betweenTokens.isEmpty() || over) {
      return;
    }
    lastTokens.put(choice, nanos);
    if (tokenTimer == NONE) {
      tokenTimer = vertx.setTimer(millis(betweenTokens.get().toNanos()), _ -> checkTokens());
    }
  }

  /** The choice waits for no more tokens. */
  void ended(ChoiceState choice) {
    lastTokens.remove(choice);
  }

  void stop() {
    over = true;
    vertx.cancelTimer(totalTimer);
    vertx.cancelTimer(tokenTimer);
  }

  // One timer for all tokens, set anew only when it has run out: tokens come too often for more.
  private void checkTokens() {
    tokenTimer = NONE;
    if (over || lastTokens.isEmpty()) {
      return;
    }
    var limit = betweenTokens.orElseThrow();
    var now = System.nanoTime();
    var waited = lastTokens.values().stream().mapToLong(last -> now - last).max().orElseThrow();
    if (waited >= limit.toNanos()) {
      expire(silent(limit));
    } else {
      tokenTimer = vertx.setTimer(millis(limit.toNanos() - waited), _ -> checkTokens());
    }
  }

  private void expire(ApiError error) {
    if (!over) {
      stop();
      expired.accept(error);
    }
  }

  private static long millis(long nanos) {
    return Math.max(1, (nanos + 999_999) / 1_000_000);
  }

  /** The time that the request or the server allows in all is up. */
  static ApiError timedOut() {
    return new ApiError(
        504,
        "timeout_error",
        Optional.of("request_timeout"),
        Optional.of("timeout"),
        "the request's time was up before the answer was done",
        Optional.empty());
  }

  private static ApiError silent(Duration limit) {
    return new ApiError(
        504,
        "timeout_error",
        Optional.of("token_timeout"),
        Optional.empty(),
        "no token came for %s s".formatted(limit.toMillis() / 1000.0),
        Optional.empty());
  }
}
