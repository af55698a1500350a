package dev.vllmmlx.tests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.vllmmlx.tests.RunningServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model of a hub, here a small one on loopback, is fetched, served, and found again offline. */
final class HubModelTest {
  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  private static final String MODEL = "tiny-org/SmolLM2-GGUF/SmolLM2.gguf";

  @TempDir Path home;

  @Test
  void isFetchedServedAndFoundAgain() throws Exception {
    var file =
        Path.of(
            PythonEnvironment.run(
                    RunningServer.root(), List.of(RunningServer.launcher().toString(), "download"))
                .lines()
                .toList()
                .getLast());
    var hub = hubWith(file);
    try {
      var endpoint = "http://127.0.0.1:" + hub.getAddress().getPort();
      try (var server =
          RunningServer.start(Map.of("HF_HOME", home.toString(), "HF_ENDPOINT", endpoint), MODEL)) {
        assertThat(ask(server)).contains("Paris").contains("\"model\":\"" + MODEL + "\"");
      }
    } finally {
      hub.stop(0);
    }
    try (var server =
        RunningServer.start(Map.of("HF_HOME", home.toString(), "HF_HUB_OFFLINE", "1"), MODEL)) {
      assertThat(ask(server)).contains("Paris");
    }
  }

  private static String ask(RunningServer server) {
    return PythonEnvironment.run(
        RunningServer.root(),
        List.of(
            "curl",
            "-sS",
            server.baseUrl() + "/chat/completions",
            "-H",
            "Content-Type: application/json",
            "-d",
            "{\"temperature\": 0, \"messages\": [{\"role\": \"user\", \"content\":"
                + " \"What is the capital of France?\"}]}"));
  }

  private static HttpServer hubWith(Path file) throws Exception {
    var bytes = Files.readAllBytes(file);
    var sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    var hub = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    hub.createContext(
        "/api/models/tiny-org/SmolLM2-GGUF",
        exchange ->
            send(
                exchange,
                """
                {"id": "tiny-org/SmolLM2-GGUF", "sha": "%s", "siblings": [{"rfilename":
                "SmolLM2.gguf", "size": %d, "blobId": "x", "lfs": {"sha256": "%s", "size": %d}}]}
                """
                    .formatted(COMMIT, bytes.length, sha256, bytes.length)
                    .getBytes(StandardCharsets.UTF_8)));
    hub.createContext(
        "/tiny-org/SmolLM2-GGUF/resolve/" + COMMIT + "/SmolLM2.gguf",
        exchange -> {
          exchange.getResponseHeaders().set("ETag", "\"" + sha256 + "\"");
          exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
          exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + sha256 + "\"");
          exchange.getResponseHeaders().set("X-Linked-Size", String.valueOf(bytes.length));
          send(exchange, bytes);
        });
    hub.start();
    return hub;
  }

  private static void send(HttpExchange exchange, byte[] body) throws IOException {
    try (exchange) {
      if (exchange.getRequestMethod().equals("HEAD")) {
        exchange.getResponseHeaders().set("Content-Length", String.valueOf(body.length));
        exchange.sendResponseHeaders(200, -1);
      } else {
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
      }
    }
  }
}
