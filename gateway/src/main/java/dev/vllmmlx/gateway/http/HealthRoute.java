package dev.vllmmlx.gateway.http;

import dev.vllmmlx.gateway.mcp.McpNodes;
import dev.vllmmlx.gateway.mcp.McpTools;
import dev.vllmmlx.gateway.pipeline.JsonReply;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineStatus;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import tools.jackson.databind.node.JsonNodeFactory;

/** {@code GET /health}: good only if the thread that generates was seen alive. */
record HealthRoute(
    Engine engine, Duration aliveWithin, BooleanSupplier draining, Optional<McpTools> mcp) {

  void answer(RoutingContext context) {
    var status = engine.status();
    var trouble = trouble(status);
    var body = JsonNodeFactory.instance.objectNode();
    body.put("status", trouble.isEmpty() ? "healthy" : "unhealthy");
    if (!trouble.isEmpty()) {
      body.put("reason", trouble);
    }
    body.put("model", engine.model().id());
    var inner = body.putObject("engine");
    inner.put("state", status.state().name().toLowerCase(Locale.ROOT));
    inner.put("seen_alive_ms_ago", status.sinceAlive().toMillis());
    inner.put("running", status.running());
    inner.put("waiting", status.waiting());
    new TreeMap<>(status.gauges()).forEach(inner::put);
    // A server that is down is no reason to take this one out of service.
    mcp.ifPresent(it -> body.set("mcp", McpNodes.counts(it)));
    JsonReply.send(context.response(), trouble.isEmpty() ? 200 : 503, body);
  }

  private String trouble(EngineStatus status) {
    if (status.state() != EngineStatus.State.READY) {
      return "the engine is "
          + status.state().name().toLowerCase(Locale.ROOT)
          + (status.reason().isEmpty() ? "" : ": " + status.reason());
    }
    if (status.sinceAlive().compareTo(aliveWithin) > 0) {
      return "the engine's thread was last seen alive %d s ago"
          .formatted(status.sinceAlive().toSeconds());
    }
    return draining.getAsBoolean() ? "the server is shutting down" : "";
  }
}
