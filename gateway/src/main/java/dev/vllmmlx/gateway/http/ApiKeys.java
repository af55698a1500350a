package dev.vllmmlx.gateway.http;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** Lets requests through that carry one of the keys, and tells who asks. */
record ApiKeys(List<String> keys) {
  private static final String SCHEME = "Bearer ";

  void check(RoutingContext context) {
    var sent = sent(context);
    if (!isRight(sent)) {
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

  // In constant time: the time of an answer must not tell how much of a guess was right.
  private boolean isRight(String sent) {
    var bytes = sent.getBytes(StandardCharsets.UTF_8);
    var right = false;
    for (var key : keys) {
      right |= MessageDigest.isEqual(bytes, key.getBytes(StandardCharsets.UTF_8));
    }
    return right;
  }

  /**
   * Who asks, for engines and their statistics, in which the key itself must not travel. Where
   * nobody needs a key, whatever a client sends as one still tells it from others.
   *
   * @return empty for a client without a key
   */
  String tenant(RoutingContext context) {
    var key = sent(context);
    if (key.isEmpty()) {
      return "";
    }
    try {
      var digest =
          MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /**
   * Whose requests a client may see and end: those of its own key, and without keys everybody's.
   */
  Optional<String> scope(RoutingContext context) {
    return keys.isEmpty() ? Optional.empty() : Optional.of(tenant(context));
  }

  private static String sent(RoutingContext context) {
    var header = context.request().getHeader(HttpHeaders.AUTHORIZATION);
    return header != null && header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
        ? header.substring(SCHEME.length()).strip()
        : "";
  }
}
