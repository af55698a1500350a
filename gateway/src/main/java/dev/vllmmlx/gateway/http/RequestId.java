package dev.vllmmlx.gateway.http;

import io.vertx.ext.web.RoutingContext;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * The id of a request: the client's own where it is sane, else a new one. In the response and the
 * log.
 */
final class RequestId {
  private static final String HEADER = "x-request-id";
  private static final String KEY = RequestId.class.getName();
  private static final Pattern SANE = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  private RequestId() {}

  static void assign(RoutingContext context) {
    of(context);
    context.next();
  }

  /** Made at the first call, which a request that is no valid HTTP has in its failure. */
  static String of(RoutingContext context) {
    String known = context.get(KEY);
    if (known != null) {
      return known;
    }
    var sent = context.request().getHeader(HEADER);
    var id =
        sent != null && SANE.matcher(sent).matches()
            ? sent
            : UUID.randomUUID().toString().replace("-", "");
    context.put(KEY, id);
    context.response().putHeader(HEADER, id);
    return id;
  }

  /**
   * The id with what no other request has, even of a client that says the same id again: by their
   * ids engines know which answers belong together.
   */
  static String unique(RoutingContext context) {
    return of(context) + "-" + UUID.randomUUID().toString().substring(0, 8);
  }
}
