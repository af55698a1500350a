package dev.vllmmlx.gateway.pipeline;

import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
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
  private final List<ChoiceState> choices;
  private final Optional<Duration> betweenTokens;
  private final Consumer<ApiError> expired;

  private long totalTimer = NONE;
  private long tokenTimer = NONE;
  private boolean over;

  /**
   * @param expired told once at most, on the event loop
   */
  TimeLimits(
      Vertx vertx,
      List<ChoiceState> choices,
      Optional<Duration> betweenTokens,
      Consumer<ApiError> expired) {
    this.vertx = vertx;
    this.choices = choices;
    this.betweenTokens = betweenTokens;
    this.expired = expired;
  }

  void start(Optional<Duration> total) {
    total.ifPresent(
        limit -> totalTimer = vertx.setTimer(millis(limit.toNanos()), _ -> expire(timedOut())));
  }

  /** A choice has more tokens. */
  void advanced() {
    if (betweenTokens.isPresent() && !over && tokenTimer == NONE) {
      tokenTimer = vertx.setTimer(millis(betweenTokens.get().toNanos()), _ -> checkTokens());
    }
  }

  void stop() {
    over = true;
    vertx.cancelTimer(totalTimer);
    vertx.cancelTimer(tokenTimer);
  }

  // One timer for all tokens, set anew only when it has run out: tokens come too often for more.
  private void checkTokens() {
    tokenTimer = NONE;
    var now = System.nanoTime();
    var longest =
        choices.stream()
            .filter(choice -> choice.finishReason().isEmpty())
            .flatMapToLong(choice -> choice.lastToken().stream())
            .map(last -> now - last)
            .max();
    if (over || longest.isEmpty()) {
      return;
    }
    var limit = betweenTokens.orElseThrow();
    var waited = longest.getAsLong();
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
