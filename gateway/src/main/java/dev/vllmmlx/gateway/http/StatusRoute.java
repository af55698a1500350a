package dev.vllmmlx.gateway.http;

import dev.vllmmlx.gateway.pipeline.JsonReply;
import dev.vllmmlx.gateway.pipeline.Pipeline;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.RequestProgress;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.TreeMap;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code GET /v1/status}: how server and engine fare, for everybody with a key, and how far the
 * requests have come, each client's own.
 *
 * @param started when the server began to listen
 */
record StatusRoute(
    String engineName, Engine engine, Pipeline pipeline, ApiKeys keys, Instant started) {

  void answer(RoutingContext context) {
    var status = engine.status();
    var body = JsonNodeFactory.instance.objectNode();
    var version = StatusRoute.class.getPackage().getImplementationVersion();
    body.putObject("server")
        .put("version", version == null ? "(from sources)" : version)
        .put("uptime_seconds", seconds(Duration.between(started, Instant.now())))
        .put("draining", pipeline.isDraining());
    body.put("model", engine.model().id());
    var inner =
        body.putObject("engine")
            .put("name", engineName)
            .put("state", status.state().name().toLowerCase(Locale.ROOT))
            .put("reason", status.reason().isEmpty() ? null : status.reason())
            .put("seen_alive_ms_ago", status.sinceAlive().toMillis())
            .put("running", status.running())
            .put("waiting", status.waiting());
    var gauges = inner.putObject("gauges");
    new TreeMap<>(status.gauges()).forEach((name, value) -> put(gauges, name, value));
    var requests = body.putArray("requests");
    pipeline
        .progress(status.requests(), keys.scope(context))
        .forEach(request -> describe(requests.addObject(), request));
    JsonReply.send(context.response(), 200, body);
  }

  // Counts as whole numbers; JSON has no word for what is no number.
  private static void put(ObjectNode gauges, String name, double value) {
    if (!Double.isFinite(value)) {
      gauges.putNull(name);
    } else if (value == Math.rint(value) && Math.abs(value) < 1L << 53) {
      gauges.put(name, (long) value);
    } else {
      gauges.put(name, value);
    }
  }

  private static void describe(ObjectNode entry, RequestProgress request) {
    entry
        .put("id", request.id())
        .put("choice", request.choice())
        .put("phase", request.phase().name().toLowerCase(Locale.ROOT))
        .put("prompt_tokens", request.promptTokens())
        .put("computed_tokens", request.computedTokens())
        .put("generated_tokens", request.generatedTokens())
        .put("age_seconds", seconds(request.age()));
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1000.0;
  }
}
