package dev.vllmmlx.gateway.http;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Closes connections on which nobody asks anything. One on which an answer is under way is never
 * idle, however long the answer is silent: Vert.x's own idle timeout would cut it.
 */
final class IdleConnections {
  private final Vertx vertx;
  private final long millis;
  private final Map<HttpConnection, Connection> open = new ConcurrentHashMap<>();

  /**
   * @param after a connection without a request is closed
   */
  IdleConnections(Vertx vertx, Duration after) {
    this.vertx = vertx;
    this.millis = Math.max(1, after.toMillis());
  }

  /** Of the connection's event loop alone. */
  private static final class Connection {
    private int requests;
    private long timer;
  }

  void opened(HttpConnection connection) {
    var state = new Connection();
    open.put(connection, state);
    wait(connection, state);
    connection.closeHandler(
        _ -> {
          vertx.cancelTimer(state.timer);
          open.remove(connection);
        });
  }

  /** Notes that the request is under way, from now to the end of its response. */
  void asked(RoutingContext context) {
    var connection = context.request().connection();
    var state = open.get(connection);
    if (state != null) {
      state.requests++;
      vertx.cancelTimer(state.timer);
      context.addEndHandler(
          _ -> {
            if (--state.requests == 0 && open.containsKey(connection)) {
              wait(connection, state);
            }
          });
    }
    context.next();
  }

  private void wait(HttpConnection connection, Connection state) {
    state.timer = vertx.setTimer(millis, _ -> connection.close());
  }
}
