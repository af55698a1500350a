package dev.vllmmlx.mcp.connection;

import io.modelcontextprotocol.client.McpAsyncClient;
import io.modelcontextprotocol.json.TypeRef;
import io.modelcontextprotocol.spec.McpClientTransport;
import io.modelcontextprotocol.spec.McpSchema;
import io.modelcontextprotocol.spec.McpSchema.CallToolRequest;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCMessage;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCNotification;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCRequest;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCResponse;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import reactor.core.publisher.Mono;

/**
 * Any transport, with an eye on what passes: it knows under which id a tool call went out, so that
 * the call can be cancelled (the SDK's client has no way to), drops answers that come too late,
 * declines what servers ask of us, and tells of changed tools.
 */
final class WatchedTransport implements McpClientTransport {
  private static final String PROGRESS_TOKEN = "progressToken";
  private static final int REFUSED = -1;
  private static final int CANCELLED = -32800;

  private final McpClientTransport inner;
  private final Watcher watcher;
  private final Map<String, Object> idsByToken = new ConcurrentHashMap<>();
  private final Set<Object> open = ConcurrentHashMap.newKeySet();
  private volatile String protocol;
  private volatile Function<Mono<JSONRPCMessage>, Mono<JSONRPCMessage>> handler =
      message -> message;

  /** Who is told. Called by the transport's threads; must not wait. */
  interface Watcher {
    /** The server's tools, resources or prompts are others now. */
    void listChanged();

    /** The transport failed at something; the connection may be lost. */
    void trouble(Throwable failure);
  }

  WatchedTransport(McpClientTransport inner, Watcher watcher) {
    this.inner = inner;
    this.watcher = watcher;
    this.protocol = inner.protocolVersions().getLast();
  }

  /** What was agreed on, for messages that do not come from the SDK's client. */
  void agreed(String protocolVersion) {
    protocol = protocolVersion;
  }

  /** The request parameters of a call that can be cancelled by its token. */
  static CallToolRequest cancellable(String tool, Map<String, Object> arguments, String token) {
    return new CallToolRequest(tool, arguments, Map.of(PROGRESS_TOKEN, token));
  }

  /** Tells the server that nobody waits for a call any more, and ends it here. */
  void cancel(String token, String reason) {
    var id = idsByToken.remove(token);
    if (id == null || !open.remove(id)) {
      return;
    }
    send(
        new JSONRPCNotification(
            "notifications/cancelled", Map.of("requestId", id, "reason", reason)));
    // The SDK's session would otherwise remember the call for ever.
    deliver(
        JSONRPCResponse.error(
            id, new JSONRPCResponse.JSONRPCError(CANCELLED, "cancelled: " + reason)));
  }

  /** Forgets a call that has ended. */
  void forget(String token) {
    idsByToken.remove(token);
  }

  @Override
  public Mono<Void> connect(Function<Mono<JSONRPCMessage>, Mono<JSONRPCMessage>> handler) {
    this.handler = handler;
    return inner.connect(message -> message.filter(this::passesOn).transform(handler::apply));
  }

  @Override
  public Mono<Void> sendMessage(JSONRPCMessage message) {
    if (message instanceof JSONRPCRequest request) {
      open.add(request.id());
      if (request.params() instanceof CallToolRequest call
          && call.meta() != null
          && call.meta().get(PROGRESS_TOKEN) instanceof String token) {
        idsByToken.put(token, request.id());
      }
    }
    return inner.sendMessage(message);
  }

  // Whether a message from the server is the SDK's to handle.
  private boolean passesOn(JSONRPCMessage message) {
    return switch (message) {
      case JSONRPCResponse response -> response.id() != null && open.remove(response.id());
      case JSONRPCNotification notification -> passesOn(notification);
      case JSONRPCRequest request -> passesOn(request);
      default -> true;
    };
  }

  private boolean passesOn(JSONRPCNotification notification) {
    return switch (notification.method()) {
      case McpSchema.METHOD_NOTIFICATION_TOOLS_LIST_CHANGED,
          McpSchema.METHOD_NOTIFICATION_RESOURCES_LIST_CHANGED,
          McpSchema.METHOD_NOTIFICATION_PROMPTS_LIST_CHANGED -> {
        // The SDK would list at once, as often as it is told to, and without an end.
        watcher.listChanged();
        yield false;
      }
      case McpSchema.METHOD_NOTIFICATION_PROGRESS, McpSchema.METHOD_NOTIFICATION_MESSAGE -> true;
      default -> false;
    };
  }

  private boolean passesOn(JSONRPCRequest request) {
    switch (request.method()) {
      case McpSchema.METHOD_ELICITATION_CREATE ->
          send(JSONRPCResponse.result(request.id(), Map.of("action", "decline")));
      case McpSchema.METHOD_SAMPLING_CREATE_MESSAGE ->
          send(
              JSONRPCResponse.error(
                  request.id(),
                  new JSONRPCResponse.JSONRPCError(
                      REFUSED, "this client does not sample for servers")));
      default -> {
        return true;
      }
    }
    return false;
  }

  private void send(JSONRPCMessage message) {
    inner
        .sendMessage(message)
        .contextWrite(context -> context.put(McpAsyncClient.NEGOTIATED_PROTOCOL_VERSION, protocol))
        .subscribe(_ -> {}, watcher::trouble);
  }

  private void deliver(JSONRPCMessage message) {
    handler.apply(Mono.just(message)).subscribe(_ -> {}, watcher::trouble);
  }

  @Override
  public void setExceptionHandler(Consumer<Throwable> handler) {
    // The SDK's client would make a new session by itself, with tools that nobody has looked at.
    inner.setExceptionHandler(watcher::trouble);
  }

  @Override
  public List<String> protocolVersions() {
    return inner.protocolVersions();
  }

  @Override
  public <T> T unmarshalFrom(Object data, TypeRef<T> type) {
    return inner.unmarshalFrom(data, type);
  }

  @Override
  public Mono<Void> closeGracefully() {
    return inner.closeGracefully();
  }

  @Override
  public void close() {
    inner.close();
  }
}
