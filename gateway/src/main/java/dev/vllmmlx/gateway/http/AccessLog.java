package dev.vllmmlx.gateway.http;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.Outcome;
import dev.vllmmlx.gateway.pipeline.ReplyEncoder;
import io.vertx.ext.web.RoutingContext;
import java.util.Locale;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One line for each request that was answered. What was said in it is nobody's business. */
final class AccessLog {
  private static final Logger LOG = LoggerFactory.getLogger("dev.vllmmlx.access");
  private static final String STARTED = AccessLog.class.getName();

  private AccessLog() {}

  static void begin(RoutingContext context) {
    context.put(STARTED, System.nanoTime());
    context.next();
  }

  static void failed(RoutingContext context, ApiError error) {
    LOG.info(
        "{} {} {} {} {} in {} ms: {}",
        RequestId.of(context),
        context.request().method(),
        context.request().path(),
        error.status(),
        error.code().orElse(error.type()),
        millis(context),
        // A path may be in a message; a prompt never is.
        error.field().orElse("-"));
  }

  static void answered(RoutingContext context, Outcome outcome) {
    var used = ReplyEncoder.Totals.of(outcome.choices());
    var end =
        outcome
            .error()
            .map(error -> error.code().orElse(error.type()))
            .orElseGet(
                () ->
                    outcome.choices().stream()
                        .map(choice -> choice.finishReason().orElseThrow().name())
                        .collect(Collectors.joining(","))
                        .toLowerCase(Locale.ROOT));
    LOG.info(
        "{} {} {} {} in {} ms: {} prompt tokens ({} cached), {} generated, {}",
        RequestId.of(context),
        context.request().method(),
        context.request().path(),
        outcome.error().map(ApiError::status).orElse(200),
        millis(context),
        used.promptTokens(),
        used.cachedTokens(),
        used.completionTokens(),
        end);
  }

  private static long millis(RoutingContext context) {
    // Nothing has begun where the request was no valid HTTP.
    long started = context.get(STARTED, System.nanoTime());
    return (System.nanoTime() - started) / 1_000_000;
  }
}
