package dev.vllmmlx.gateway.http;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;

/** Lets requests through that carry the key. */
record ApiKey(String key) {
  private static final String SCHEME = "Bearer ";

  void check(RoutingContext context) {
    var sent = sent(context);
    // In constant time: the time of an answer must not tell how much of a guess was right.
    if (!MessageDigest.isEqual(
        sent.getBytes(StandardCharsets.UTF_8), key.getBytes(StandardCharsets.UTF_8))) {
      context.response().putHeader("www-authenticate", "Bearer");
      throw new ApiException(
          new ApiError(
              401,
              "authentication_error",
              Optional.of("invalid_api_key"),
              Optional.empty(),
              sent.isEmpty()
                  ? "this server needs an API key: send it as Authorization: Bearer KEY"
                  : "the API key is not right",
              Optional.empty()));
    }
    context.next();
  }

  /** The key that a request carries, whether it is right or not; empty where it carries none. */
  static String sent(RoutingContext context) {
    var header = context.request().getHeader(HttpHeaders.AUTHORIZATION);
    return header != null && header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
        ? header.substring(SCHEME.length()).strip()
        : "";
  }
}
