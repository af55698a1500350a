package dev.vllmmlx.gateway.http;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;

/**
 * Reads a request's body whole, whatever its content type says.
 *
 * @param mostBytes a larger body is refused
 * @param within one that takes longer is refused: it would hold its connection for ever
 */
record RequestBody(long mostBytes, Duration within) {

  /** To be called before anything of the body has come in. Fails with an {@link ApiException}. */
  Future<Buffer> read(RoutingContext context) {
    var request = context.request();
    var response = context.response();
    var result = Promise.<Buffer>promise();
    var body = Buffer.buffer();
    var timer =
        context
            .vertx()
            .setTimer(
                within.toMillis(),
                _ -> {
                  result.tryFail(tooSlow());
                  request.connection().close(); // After the answer.
                });
    // What comes after a refusal is read and dropped: a connection closed on a client that still
    // sends would lose the answer.
    request.handler(
        chunk -> {
          if (body.length() + (long) chunk.length() > mostBytes) {
            result.tryFail(tooLarge());
          } else if (!result.future().isComplete()) {
            body.appendBuffer(chunk);
          }
        });
    request.end().onComplete(_ -> context.vertx().cancelTimer(timer));
    request
        .end()
        .onSuccess(_ -> result.tryComplete(body))
        .onFailure(_ -> result.tryFail(new ApiException(ApiError.clientGone())));
    var asksFirst = request.headers().contains(HttpHeaders.EXPECT, HttpHeaders.CONTINUE, true);
    if (declaredLength(request.getHeader(HttpHeaders.CONTENT_LENGTH)) > mostBytes) {
      if (asksFirst) {
        response.putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
      }
      result.tryFail(tooLarge());
    } else if (asksFirst) {
      response.writeContinue();
    }
    return result.future();
  }

  // The server has refused what is no number.
  private static long declaredLength(String header) {
    return header == null ? 0 : Long.parseLong(header.strip());
  }

  private ApiException tooLarge() {
    return new ApiException(
        ApiError.of(
            413,
            "body_too_large",
            "the body is larger than the %d bytes that this server allows".formatted(mostBytes)));
  }

  private ApiException tooSlow() {
    return new ApiException(
        ApiError.of(
            408, "body_timeout", "the body was not here in %d ms".formatted(within.toMillis())));
  }
}
