package dev.vllmmlx.gateway.pipeline;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Writes JSON bodies. */
public final class JsonReply {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  private JsonReply() {}

  /**
   * A whole reply. Does nothing when the client is gone.
   *
   * @return completes when the connection has taken the last byte
   */
  public static Future<Void> send(HttpServerResponse response, int status, JsonNode body) {
    if (response.ended() || response.closed()) {
      return Future.succeededFuture();
    }
    return response
        .setStatusCode(status)
        .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
        .end(bytes(body));
  }

  /** An error's reply, with the headers that belong to it. */
  public static Future<Void> send(HttpServerResponse response, ApiError error, JsonNode body) {
    if (!response.ended() && !response.headWritten()) {
      error
          .retryAfter()
          .ifPresent(
              after ->
                  response.putHeader(
                      HttpHeaders.RETRY_AFTER, String.valueOf(Math.max(1, after.toSeconds()))));
      if (error.status() == 504) {
        // OpenAI's SDKs would ask twice more for what has just taken too long.
        response.putHeader("x-should-retry", "false");
      }
      if (error.status() == 503) {
        response.putHeader(HttpHeaders.CONNECTION, "close");
      }
    }
    return send(response, error.status(), body);
  }

  static Buffer bytes(JsonNode body) {
    return Buffer.buffer(MAPPER.writeValueAsBytes(body));
  }
}
