package dev.vllmmlx.gateway.http;

import dev.vllmmlx.gateway.metrics.CallMetrics;
import dev.vllmmlx.gateway.openai.Body;
import dev.vllmmlx.gateway.openai.Dialect;
import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import dev.vllmmlx.gateway.pipeline.Caller;
import dev.vllmmlx.gateway.pipeline.Pipeline;
import dev.vllmmlx.spi.Engine;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.ext.web.RoutingContext;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A route that generates: body, dialect, pipeline. */
final class GenerateRoute {
  private static final Logger LOG = LoggerFactory.getLogger(GenerateRoute.class);
  private static final String IGNORED = "x-ignored-fields";

  private final Engine engine;
  private final Dialect dialect;
  private final Dialect.Defaults defaults;
  private final RequestBody body;
  private final Pipeline pipeline;
  private final ApiKeys keys;
  private final CallMetrics metrics;
  private final ServedModel served;

  GenerateRoute(
      Engine engine,
      Dialect dialect,
      Dialect.Defaults defaults,
      RequestBody body,
      Pipeline pipeline,
      ApiKeys keys,
      CallMetrics metrics) {
    this.engine = engine;
    this.dialect = dialect;
    this.defaults = defaults;
    this.body = body;
    this.pipeline = pipeline;
    this.keys = keys;
    this.metrics = metrics;
    this.served = new ServedModel(engine.model());
  }

  private record Read(Dialect.Decoded decoded, String model) {}

  void answer(RoutingContext context) {
    if (pipeline.isDraining()) {
      metrics.refused(ApiError.draining());
      throw new ApiException(ApiError.draining());
    }
    body.read(context)
        .compose(bytes -> onVirtualThread(context, bytes.getBytes()))
        .onSuccess(read -> start(context, read))
        .onFailure(
            failure -> {
              if (failure instanceof ApiException refused) {
                metrics.refused(refused.error());
              }
              context.fail(failure);
            });
  }

  private Read read(byte[] bytes, String requestId) {
    var body = Body.parse(bytes);
    if (!body.isObject()) {
      throw new ApiException(ApiError.invalid(null, "the body must be a JSON object"));
    }
    var model = served.require(body);
    return new Read(dialect.decode(body, engine, defaults, requestId), model);
  }

  // Templates, tokenizers and megabytes of JSON would hold up everybody on the event loop.
  private Future<Read> onVirtualThread(RoutingContext context, byte[] bytes) {
    var promise = Promise.<Read>promise();
    var loop = context.vertx().getOrCreateContext();
    var requestId = RequestId.of(context);
    Thread.startVirtualThread(
        () -> {
          try {
            var read = read(bytes, requestId);
            loop.runOnContext(_ -> promise.complete(read));
          } catch (Throwable e) {
            loop.runOnContext(_ -> promise.fail(e));
          }
        });
    return promise.future();
  }

  private void start(RoutingContext context, Read read) {
    var call = read.decoded().call();
    report(context, call.ignored());
    var id = read.decoded().idPrefix() + "-" + RequestId.unique(context);
    var head = new Dialect.ReplyHead(id, read.model(), Instant.now().getEpochSecond());
    var encoder = read.decoded().encoder().make(head);
    var caller = new Caller(id, RequestId.of(context), keys.tenant(context));
    pipeline
        .answer(context.request(), call, caller, encoder)
        .onSuccess(outcome -> AccessLog.answered(context, outcome));
  }

  private static void report(RoutingContext context, List<String> ignored) {
    if (ignored.isEmpty()) {
      return;
    }
    // Names come from the client: only what a header may hold, and not without end.
    var names =
        ignored.stream()
            .map(name -> name.replaceAll("[^A-Za-z0-9_.\\[\\]-]", "?"))
            .map(name -> name.length() <= 64 ? name : name.substring(0, 64))
            .limit(32)
            .collect(Collectors.joining(", "));
    context.response().putHeader(IGNORED, names);
    LOG.warn("{} ignored fields: {}", RequestId.of(context), names);
  }
}
