package dev.vllmmlx.gateway.http;

import dev.vllmmlx.gateway.mcp.McpTools;
import dev.vllmmlx.gateway.metrics.Metrics;
import dev.vllmmlx.gateway.openai.ChatDialect;
import dev.vllmmlx.gateway.openai.CompletionsDialect;
import dev.vllmmlx.gateway.openai.Dialect;
import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import dev.vllmmlx.gateway.pipeline.JsonReply;
import dev.vllmmlx.gateway.pipeline.Pace;
import dev.vllmmlx.gateway.pipeline.Pipeline;
import dev.vllmmlx.spi.Engine;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.CorsHandler;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * The HTTP server in front of one engine. Event loops do HTTP and nothing else. It neither opens
 * nor closes the engine.
 */
public final class Gateway {
  private static final String MODELS = "/v1/models";
  private static final String CANCEL = "/v1/requests/:id/cancel";

  private final GatewaySettings settings;
  private final ApiKeys keys;
  private final Engine engine;
  private final Optional<McpTools> mcp;
  private final Metrics metrics;
  private final Pipeline pipeline;
  private final IdleConnections idle;
  private final HttpServer server;
  private final Map<String, Set<String>> methods = new TreeMap<>();

  private Gateway(
      Vertx vertx,
      GatewaySettings settings,
      String engineName,
      Engine engine,
      Optional<McpTools> mcp) {
    this.settings = settings;
    this.keys = new ApiKeys(settings.apiKeys());
    this.engine = engine;
    this.mcp = mcp;
    this.metrics = new Metrics(engineName, engine, mcp.map(McpTools::bridge));
    this.pipeline =
        new Pipeline(
            vertx,
            engine,
            new Pace(
                settings.limits().streamInterval(),
                settings.times().keepAlive(),
                settings.times().stalled()),
            settings.times().token(),
            metrics.calls());
    this.idle = new IdleConnections(vertx, settings.times().idle());
    this.server =
        vertx
            .createHttpServer(
                new HttpServerOptions()
                    .setTcpNoDelay(true)
                    // One protocol, one way a client goes away.
                    .setHttp2ClearTextEnabled(false)
                    .setMaxInitialLineLength(8192)
                    .setMaxHeaderSize(32768))
            .connectionHandler(idle::opened)
            .requestHandler(router(vertx, engineName));
  }

  /**
   * Listens; the future fails when the address cannot be had.
   *
   * @param engineName by which users chose the engine
   * @param mcp the tools of MCP servers, if there are any; stays the caller's to close
   */
  public static Future<Gateway> start(
      Vertx vertx,
      GatewaySettings settings,
      String engineName,
      Engine engine,
      Optional<McpTools> mcp) {
    var gateway = new Gateway(vertx, settings, engineName, engine, mcp);
    return gateway.server.listen(settings.port(), settings.host()).map(_ -> gateway);
  }

  /** The port it listens on. */
  public int port() {
    return server.actualPort();
  }

  /**
   * Takes no new requests from now on and waits for those under way; what is not done in time ends
   * with an error.
   */
  public Future<Void> drain(Duration timeout) {
    return pipeline.drain(timeout);
  }

  /** Stops listening and closes every connection. */
  public Future<Void> close() {
    return server.close().onComplete(_ -> metrics.close());
  }

  private Router router(Vertx vertx, String engineName) {
    var router = Router.router(vertx);
    router.errorHandler(400, Failures::badPath);
    router.route().handler(idle::asked).handler(RequestId::assign).handler(AccessLog::begin);
    if (!settings.allowedOrigins().isEmpty()) {
      router.route().handler(cors());
    }
    router.route().failureHandler(Failures::handle);
    if (!keys.keys().isEmpty()) {
      router.route("/v1/*").handler(keys::check);
    }

    get(
        router,
        "/health",
        new HealthRoute(engine, settings.times().aliveWithin(), pipeline::isDraining, mcp)::answer);
    get(
        router,
        "/v1/status",
        new StatusRoute(engineName, engine, pipeline, keys, Instant.now())::answer);
    get(router, "/metrics", this::showMetrics);
    get(router, MODELS, this::listModels);
    get(router, MODELS + "/*", this::showModel);
    generate(router, "/v1/chat/completions", new ChatDialect(mcp));
    generate(router, "/v1/completions", new CompletionsDialect());
    mcp.ifPresent(it -> tools(router, it));
    methods.put(CANCEL, Set.of("POST"));
    router.route(HttpMethod.POST, CANCEL).handler(new CancelRoute(pipeline, keys)::answer);
    router.route().handler(this::noRoute);
    return router;
  }

  private CorsHandler cors() {
    var cors = CorsHandler.create();
    if (settings.allowedOrigins().contains("*")) {
      cors.addOriginWithRegex(".*");
    } else {
      cors.addOrigins(settings.allowedOrigins());
    }
    return cors.allowedMethods(Set.of(HttpMethod.GET, HttpMethod.POST, HttpMethod.OPTIONS))
        .allowedHeaders(Set.of("authorization", "content-type", "x-request-id"))
        .exposedHeaders(Set.of("x-request-id", "x-ignored-fields", "retry-after"));
  }

  private void get(Router router, String path, Handler<RoutingContext> handler) {
    methods.put(path, new TreeSet<>(Set.of("GET", "HEAD")));
    router.route(HttpMethod.GET, path).handler(handler);
    router.route(HttpMethod.HEAD, path).handler(handler);
  }

  private void generate(Router router, String path, Dialect dialect) {
    methods.put(path, new TreeSet<>(Set.of("POST")));
    var body = new RequestBody(settings.limits().maxBodyBytes(), settings.times().body());
    var defaults = new Dialect.Defaults(settings.limits().maxTokens(), settings.times().request());
    router
        .route(HttpMethod.POST, path)
        .handler(
            new GenerateRoute(engine, dialect, defaults, body, pipeline, keys, metrics.calls())
                ::answer);
  }

  private void tools(Router router, McpTools tools) {
    var body = new RequestBody(settings.limits().maxBodyBytes(), settings.times().body());
    var routes = new McpRoutes(tools, body);
    get(router, "/v1/mcp/servers", routes::servers);
    get(router, "/v1/mcp/tools", routes::tools);
    get(router, "/v1/mcp/status", routes::status);
    methods.put("/v1/mcp/execute", Set.of("POST"));
    router.route(HttpMethod.POST, "/v1/mcp/execute").handler(routes::execute);
  }

  private void showMetrics(RoutingContext context) {
    context
        .response()
        .putHeader(HttpHeaders.CONTENT_TYPE, Metrics.CONTENT_TYPE)
        .end(metrics.scrape());
  }

  private void listModels(RoutingContext context) {
    var body = JsonNodeFactory.instance.objectNode();
    body.put("object", "list");
    body.putArray("data").add(new ServedModel(engine.model()).describe());
    JsonReply.send(context.response(), 200, body);
  }

  private void showModel(RoutingContext context) {
    var served = new ServedModel(engine.model());
    // Ids of the hub hold a slash, which clients send as it is or encoded.
    var raw = context.normalizedPath().substring(MODELS.length() + 1);
    String id;
    try {
      id = URLDecoder.decode(raw.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException _) {
      id = raw;
    }
    if (!served.isCalled(id)) {
      throw new ApiException(served.notFound(id));
    }
    JsonReply.send(context.response(), 200, served.describe());
  }

  private static String pattern(String path) {
    if (path.startsWith(MODELS + "/")) {
      return MODELS + "/*";
    }
    return path.matches("/v1/requests/[^/]+/cancel") ? CANCEL : path;
  }

  private void noRoute(RoutingContext context) {
    var path = context.normalizedPath();
    var allowed = methods.get(pattern(path));
    if (allowed == null) {
      throw new ApiException(ApiError.of(404, "not_found", "there is no " + path + " here"));
    }
    context.response().putHeader(HttpHeaders.ALLOW, String.join(", ", allowed));
    throw new ApiException(
        ApiError.of(
            405,
            "method_not_allowed",
            "%s takes %s, not %s"
                .formatted(path, String.join(" or ", allowed), context.request().method())));
  }
}
