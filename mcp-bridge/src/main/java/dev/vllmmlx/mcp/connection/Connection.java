package dev.vllmmlx.mcp.connection;

import dev.vllmmlx.mcp.config.Endpoint;
import dev.vllmmlx.mcp.config.ServerConfig;
import io.modelcontextprotocol.client.McpAsyncClient;
import io.modelcontextprotocol.client.McpClient;
import io.modelcontextprotocol.json.McpJsonMapper;
import io.modelcontextprotocol.json.jackson3.JacksonMcpJsonMapper;
import io.modelcontextprotocol.spec.McpClientTransport;
import io.modelcontextprotocol.spec.McpError;
import io.modelcontextprotocol.spec.McpSchema;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import reactor.core.publisher.Mono;
import tools.jackson.databind.json.JsonMapper;

/**
 * One connection to one server, from its start to its end. It is never mended: who lost it opens
 * another. Methods may be called by any thread and wait for the server; {@link #call} does not.
 */
final class Connection {
  // The SDK's own limit stays out of the way: each wait here has its own.
  private static final Duration NO_LIMIT = Duration.ofDays(2);
  private static final McpJsonMapper JSON = new JacksonMcpJsonMapper(JsonMapper.shared());

  private final ServerConfig config;
  private final ConnectionLimits limits;
  private final Listener listener;
  private final WatchedTransport transport;
  private final McpAsyncClient client;
  private final Optional<SameHostClient> http;
  private final OptionalLong pid;
  private final Map<String, ProgressListener> progress = new ConcurrentHashMap<>();
  private final ContentText content = new ContentText(JSON);
  private volatile Optional<String> lost = Optional.empty();

  /** Who hears of the connection. Called by its threads; must not wait. */
  interface Listener {
    /** The server has other tools, resources or prompts now. */
    void listChanged();

    /** Something failed that may mean that the connection is lost. */
    void doubtful(String why);

    /** The connection is lost. */
    void lost(String why);
  }

  private Connection(
      ServerConfig config,
      Map<String, String> environment,
      ConnectionLimits limits,
      ServerLog log,
      Listener listener)
      throws IOException {
    this.config = config;
    this.limits = limits;
    this.listener = listener;
    McpClientTransport inner;
    switch (config.endpoint()) {
      case Endpoint.Stdio stdio -> {
        var child =
            new StdioTransport(
                stdio, environment, JSON, limits.messageBytes(), log, this::childLost);
        pid = OptionalLong.of(child.pid());
        http = Optional.empty();
        inner = child;
      }
      case Endpoint.Http remote -> {
        var sameHost = new SameHostClient(Duration.ofSeconds(10));
        pid = OptionalLong.empty();
        http = Optional.of(sameHost);
        inner = new HttpTransports(JSON, limits.messageBytes()).over(sameHost, remote);
      }
    }
    transport = new WatchedTransport(inner, new Watcher());
    client =
        McpClient.async(transport)
            .clientInfo(new McpSchema.Implementation("vllm-mlx", "0.1.0"))
            .requestTimeout(NO_LIMIT)
            .initializationTimeout(NO_LIMIT)
            .progressConsumer(notice -> Mono.fromRunnable(() -> progressed(notice)))
            .build();
  }

  /**
   * Starts or reaches the server and shakes hands.
   *
   * @param environment our own, of which a child gets the least
   * @throws ConnectionException if that fails or takes too long; nothing is left open
   */
  static Connection open(
      ServerConfig config,
      Map<String, String> environment,
      ConnectionLimits limits,
      ServerLog log,
      Listener listener)
      throws ConnectionException, InterruptedException {
    Connection connection;
    try {
      connection = new Connection(config, environment, limits, log, listener);
    } catch (IOException e) {
      var program = config.endpoint() instanceof Endpoint.Stdio(var it, _, _, _) ? ": " + it : "";
      throw ConnectionException.of("cannot be started" + program, e);
    }
    try {
      var hello = connection.await(connection.client.initialize(), limits.start(), "the handshake");
      connection.transport.agreed(hello.protocolVersion());
      return connection;
    } catch (ConnectionException | InterruptedException | RuntimeException e) {
      connection.close("did not come up");
      throw e;
    }
  }

  /** What the server said of itself. */
  McpSchema.InitializeResult hello() {
    return client.getCurrentInitializationResult();
  }

  /** The process, if the server is a child. */
  OptionalLong pid() {
    return pid;
  }

  List<ServerTool> tools() throws ConnectionException, InterruptedException {
    if (hello().capabilities().tools() == null) {
      return List.of();
    }
    return pages(
        "tools/list",
        client::listTools,
        page ->
            page.tools().stream()
                .map(
                    tool ->
                        new ServerTool(
                            tool.name(),
                            Optional.ofNullable(tool.description())
                                .or(() -> Optional.ofNullable(tool.title())),
                            Optional.ofNullable(tool.inputSchema())))
                .toList(),
        McpSchema.ListToolsResult::nextCursor);
  }

  List<ServerItem> resources() throws ConnectionException, InterruptedException {
    if (hello().capabilities().resources() == null) {
      return List.of();
    }
    return pages(
        "resources/list",
        client::listResources,
        page ->
            page.resources().stream()
                .map(
                    resource ->
                        new ServerItem(
                            resource.uri(),
                            Optional.ofNullable(resource.description())
                                .or(() -> Optional.ofNullable(resource.name()))))
                .toList(),
        McpSchema.ListResourcesResult::nextCursor);
  }

  List<ServerItem> prompts() throws ConnectionException, InterruptedException {
    if (hello().capabilities().prompts() == null) {
      return List.of();
    }
    return pages(
        "prompts/list",
        client::listPrompts,
        page ->
            page.prompts().stream()
                .map(
                    prompt ->
                        new ServerItem(prompt.name(), Optional.ofNullable(prompt.description())))
                .toList(),
        McpSchema.ListPromptsResult::nextCursor);
  }

  // A server that always names a next page must not be followed for ever.
  private <P, T> List<T> pages(
      String what,
      Function<String, Mono<P>> list,
      Function<P, List<T>> items,
      Function<P, String> next)
      throws ConnectionException, InterruptedException {
    var all = new ArrayList<T>();
    var cursor = McpSchema.FIRST_PAGE;
    var pages = 0;
    do {
      var page = await(list.apply(cursor), limits.start(), what);
      all.addAll(items.apply(page));
      cursor = next.apply(page);
      if (all.size() > limits.items() || ++pages > limits.items()) {
        throw new ConnectionException(
            "%s: more than %d items or pages".formatted(what, limits.items()));
      }
    } while (cursor != null && !cursor.isEmpty());
    return all;
  }

  /**
   * Calls a tool.
   *
   * @param token names the call for {@link #cancel}; unlike that of any other call
   * @return fails with a {@link ConnectionException} when the server answers with an error of the
   *     protocol, or is lost
   */
  CompletableFuture<ToolReply> call(
      String tool, Map<String, Object> arguments, String token, ProgressListener listener) {
    progress.put(token, listener);
    return client
        .callTool(WatchedTransport.cancellable(tool, arguments, token))
        .map(content::of)
        .onErrorMap(this::callFailure)
        .toFuture()
        .whenComplete(
            (_, _) -> {
              progress.remove(token);
              transport.forget(token);
            });
  }

  private Throwable callFailure(Throwable failure) {
    if (lost.isPresent()) {
      return new ConnectionException("the connection was lost: " + lost.get(), failure);
    }
    return failure instanceof McpError error && error.getJsonRpcError() != null
        ? new ConnectionException(
            "the server answered with error %d: %s"
                .formatted(error.getJsonRpcError().code(), error.getJsonRpcError().message()),
            failure)
        : new ConnectionException(ConnectionException.reason(failure), failure);
  }

  /** Ends a call, whose future then fails, and tells the server. */
  void cancel(String token, String reason) {
    transport.cancel(token, reason);
  }

  /** Asks whether the server is there; returns if it is. */
  void ping(Duration patience) throws ConnectionException, InterruptedException {
    try {
      client.ping().toFuture().get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new ConnectionException("does not answer a ping", e);
    } catch (ExecutionException e) {
      // One that does not know pings is there as well.
      if (!(e.getCause() instanceof McpError)) {
        throw ConnectionException.of("is gone", e.getCause());
      }
    }
  }

  private void progressed(McpSchema.ProgressNotification notice) {
    var to = progress.get(String.valueOf(notice.progressToken()));
    if (to != null && notice.progress() != null) {
      to.progressed(
          new ProgressListener.Progress(
              notice.progress(),
              notice.total() == null ? OptionalDouble.empty() : OptionalDouble.of(notice.total()),
              Optional.ofNullable(notice.message())));
    }
  }

  private <T> T await(Mono<T> mono, Duration patience, String what)
      throws ConnectionException, InterruptedException {
    try {
      return mono.toFuture().get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw ConnectionException.of(what, e);
    } catch (ExecutionException e) {
      throw lost.map(why -> new ConnectionException(why, e))
          .orElseGet(() -> ConnectionException.of(what, e.getCause()));
    }
  }

  private void childLost(String why) {
    lost = Optional.of(why);
    // What waits for it shall not wait any longer.
    client.close();
    listener.lost(why);
  }

  /**
   * Ends the connection, and a child with all that came of it. What waits for an answer fails.
   *
   * @param why what the calls that wait are told: a predicate without its subject
   */
  void close(String why) {
    lost = lost.or(() -> Optional.of(why));
    try {
      client.closeGracefully().toFuture().get(5, TimeUnit.SECONDS);
    } catch (TimeoutException | ExecutionException _) {
      // A server that does not say goodbye.
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    if (http.isEmpty()) {
      transport.close();
    }
    http.ifPresent(SameHostClient::close);
  }

  @Override
  public String toString() {
    return "connection to " + config.name();
  }

  private final class Watcher implements WatchedTransport.Watcher {
    @Override
    public void listChanged() {
      listener.listChanged();
    }

    @Override
    public void trouble(Throwable failure) {
      listener.doubtful(ConnectionException.reason(failure));
    }
  }
}
