package dev.vllmmlx.gateway.http;

import dev.vllmmlx.gateway.openai.ReplyNodes;
import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import dev.vllmmlx.gateway.pipeline.JsonReply;
import io.vertx.ext.web.RoutingContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns whatever went wrong in a handler into an error body. */
final class Failures {
  private static final Logger LOG = LoggerFactory.getLogger(Failures.class);

  private Failures() {}

  static void handle(RoutingContext context) {
    answer(context, error(context));
  }

  /** For a path so wrong that no route could be looked up. */
  static void badPath(RoutingContext context) {
    answer(context, ApiError.of(400, "bad_request", "the path is not a valid one"));
  }

  private static void answer(RoutingContext context, ApiError error) {
    AccessLog.failed(context, error);
    if (context.response().headWritten()) {
      context.request().connection().close(); // Half an answer is out, and must not look whole.
      return;
    }
    JsonReply.send(context.response(), error, ReplyNodes.error(error));
  }

  private static ApiError error(RoutingContext context) {
    return switch (context.failure()) {
      case ApiException e -> e.error();
      case null -> byStatus(context);
      // What Vert.x refuses by itself.
      case Throwable _ when context.statusCode() >= 400 && context.statusCode() < 500 ->
          byStatus(context);
      default -> {
        LOG.error("request {} failed", RequestId.of(context), context.failure());
        yield ApiError.of(500, "internal_error", "the server failed; its log says more");
      }
    };
  }

  private static ApiError byStatus(RoutingContext context) {
    var request = context.request();
    return switch (context.statusCode()) {
      case 404 -> ApiError.of(404, "not_found", "there is no " + request.path() + " here");
      case 403 -> ApiError.of(403, "origin_not_allowed", "pages of this origin may not call");
      case 400 -> ApiError.of(400, "bad_request", "the request is not valid HTTP");
      default -> ApiError.of(context.statusCode(), "http_error", "HTTP " + context.statusCode());
    };
  }
}
