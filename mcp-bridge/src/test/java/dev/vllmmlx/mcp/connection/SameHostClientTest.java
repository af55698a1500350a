package dev.vllmmlx.mcp.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.vllmmlx.mcp.Servers;
import dev.vllmmlx.mcp.config.Endpoint;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class SameHostClientTest {
  private final List<String> seen = new CopyOnWriteArrayList<>();
  private final SameHostClient client = new SameHostClient(Duration.ofSeconds(5));
  private HttpServer server;
  private HttpServer elsewhere;

  @BeforeEach
  void listen() throws IOException {
    server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    elsewhere = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    elsewhere.createContext(
        "/",
        exchange -> {
          seen.add("elsewhere");
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    redirect("/slash", 307, "/slash/");
    redirect("/moved", 302, "/slash/");
    redirect("/away", 308, "http://127.0.0.1:%d/".formatted(elsewhere.getAddress().getPort()));
    redirect("/round", 307, "/round");
    server.createContext(
        "/slash/",
        exchange -> {
          seen.add(
              "%s %s %s"
                  .formatted(
                      exchange.getRequestMethod(),
                      exchange.getRequestHeaders().getFirst("Authorization"),
                      new String(exchange.getRequestBody().readAllBytes())));
          exchange.sendResponseHeaders(200, 4);
          exchange.getResponseBody().write("here".getBytes());
          exchange.close();
        });
    server.start();
    elsewhere.start();
  }

  @AfterEach
  void close() {
    client.close();
    server.stop(0);
    elsewhere.stop(0);
  }

  private void redirect(String path, int status, String location) {
    server.createContext(
        path,
        exchange -> {
          exchange.getRequestBody().readAllBytes();
          exchange.getResponseHeaders().set("Location", location);
          exchange.sendResponseHeaders(status, -1);
          exchange.close();
        });
  }

  private URI url(String path) {
    return URI.create("http://127.0.0.1:%d%s".formatted(server.getAddress().getPort(), path));
  }

  private String post(String path) throws Exception {
    return client
        .send(
            HttpRequest.newBuilder(url(path))
                .header("Authorization", "key")
                .POST(BodyPublishers.ofString("body"))
                .build(),
            BodyHandlers.ofString())
        .body();
  }

  @Test
  void followsToTheSameHostWithMethodHeadersAndBody() throws Exception {
    assertThat(post("/slash")).isEqualTo("here");
    assertThat(seen).containsExactly("POST key body");
  }

  @Test
  void followsToNoOtherHost() {
    assertThatThrownBy(() -> post("/away"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("the server redirects to http://127.0.0.1:")
        .hasMessageContaining("not followed");
    assertThat(seen).isEmpty();
  }

  @Test
  void makesNoOtherRequestOfAPost() {
    assertThatThrownBy(() -> post("/moved"))
        .hasMessageContaining("put that into the configuration");
  }

  @Test
  void endsARound() {
    assertThatThrownBy(() -> post("/round")).hasMessageContaining("without an end");
  }

  @Test
  void aServerThatRedirectsElsewhereFailsWithThatReason() throws Exception {
    var endpoint = new Endpoint.Http(url("/away"), Map.of(), Endpoint.Dialect.STREAMABLE);
    try (var mcp =
        new McpServer(Servers.config("away", endpoint), Map.of(), Servers.QUICK, () -> {})) {
      mcp.start();
      assertThat(mcp.awaitSettled(Duration.ofSeconds(20))).isTrue();
      assertThat(mcp.status().reason().orElseThrow()).contains("the server redirects to http://");
    }
    assertThat(seen).isEmpty();
  }
}
