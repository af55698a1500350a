package dev.vllmmlx.gateway;

import dev.vllmmlx.gateway.http.Gateway;
import dev.vllmmlx.gateway.http.GatewaySettings;
import dev.vllmmlx.gateway.mcp.McpTools;
import dev.vllmmlx.spi.Engine;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A gateway on a free loopback port, and a client of it. */
public final class TestServer implements AutoCloseable {
  public static final String ENGINE = "tested";
  public static final String CHAT = "/v1/chat/completions";
  public static final String COMPLETIONS = "/v1/completions";
  public static final JsonMapper JSON = JsonMapper.builder().build();

  private final Vertx vertx = Vertx.vertx();
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();
  private final Gateway gateway;

  public TestServer(Engine engine) {
    this(engine, UnaryOperator.identity());
  }

  public TestServer(Engine engine, UnaryOperator<GatewaySettings> change) {
    this(engine, change, Optional.empty());
  }

  public TestServer(Engine engine, UnaryOperator<GatewaySettings> change, Optional<McpTools> mcp) {
    gateway =
        Gateway.start(vertx, change.apply(GatewaySettings.on("127.0.0.1", 0)), ENGINE, engine, mcp)
            .await();
  }

  public Gateway gateway() {
    return gateway;
  }

  public URI uri(String path) {
    return URI.create("http://127.0.0.1:" + gateway.port() + path);
  }

  public HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(uri(path)).timeout(Duration.ofSeconds(20));
  }

  /** Posts JSON, in which single quotes stand for double ones. */
  public HttpResponse<String> post(String path, String json) {
    return send(posting(path, json).build());
  }

  public CompletableFuture<HttpResponse<String>> postLater(String path, String json) {
    return sendLater(posting(path, json).build());
  }

  public CompletableFuture<HttpResponse<String>> sendLater(HttpRequest request) {
    return client.sendAsync(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
  }

  public HttpRequest.Builder posting(String path, String json) {
    return request(path)
        .header("content-type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(json.replace('\'', '"')));
  }

  public HttpResponse<String> get(String path) {
    return send(request(path).GET().build());
  }

  public HttpResponse<String> send(HttpRequest request) {
    try {
      return client.send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new AssertionError("no answer to " + request, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** A bare connection. */
  public Socket connect() throws IOException {
    var socket = new Socket("127.0.0.1", gateway.port());
    socket.setSoTimeout(10_000);
    return socket;
  }

  /** A POST as it goes over the wire. */
  public static byte[] wire(String path, String json) {
    var body = json.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    var head =
        "POST %s HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            .formatted(path, body.length)
            .getBytes(StandardCharsets.UTF_8);
    var all = java.util.Arrays.copyOf(head, head.length + body.length);
    System.arraycopy(body, 0, all, head.length, body.length);
    return all;
  }

  public static JsonNode json(HttpResponse<String> response) {
    return JSON.readTree(response.body());
  }

  /** The data of each server-sent event, in order; comments are left out. */
  public static List<String> events(String body) {
    var events = new ArrayList<String>();
    for (var block : body.split("\n\n")) {
      if (!block.startsWith(":")) {
        if (!block.startsWith("data: ") || block.contains("\n")) {
          throw new AssertionError("not an event of one data line: " + block);
        }
        events.add(block.substring("data: ".length()));
      }
    }
    return events;
  }

  /** The chunks of a stream that ended as it should. */
  public static List<JsonNode> chunks(HttpResponse<String> response) {
    var events = events(response.body());
    if (!events.getLast().equals("[DONE]")) {
      throw new AssertionError("no [DONE] at the end: " + events);
    }
    return events.subList(0, events.size() - 1).stream().map(JSON::readTree).toList();
  }

  @Override
  public void close() {
    client.close();
    vertx.close().await();
  }
}
