package dev.vllmmlx.gateway.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.gateway.plugin.EngineCatalog;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.xml.sax.InputSource;
import tools.jackson.databind.json.JsonMapper;

class LoadRunTest {
  private static final String COUNTED =
      "{\"choices\":[],\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":2}}";
  private static final String TEXT = "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}";

  @Test
  void measuresAServerOfOurs() throws Exception {
    try (var engine = echo();
        var server = new TestServer(engine)) {
      var ended = new AtomicInteger();
      var figures =
          new LoadRun(plan(server.uri("/"), 1, 3), (_, _, _) -> ended.incrementAndGet()).run();
      assertThat(figures.model()).isEqualTo("parrot");
      assertThat(figures.answersMayBeShorter()).isFalse();
      assertThat(ended).hasValue(12);
      for (var level : figures.levels()) {
        assertThat(level.errors()).isEmpty();
        assertThat(level.answered()).isEqualTo(6);
        assertThat(level.counted()).isTrue();
        assertThat(level.tokens()).isEqualTo(6 * 8);
        // A token of the echo is a character: what was learned from two texts holds for others.
        assertThat(level.promptTokens() / 6).isBetween(70L, 130L);
        assertThat(level.firstToken().p50()).isPositive();
        assertThat(level.throughput()).isPositive();
      }
      var page = LoadPage.of(figures);
      assertThat(page).contains("3 streams").doesNotContain("http://www.example", "<script");
      DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .parse(new InputSource(new StringReader(page.replace("<!DOCTYPE html>", ""))));
      assertThat(LoadReport.table(figures)).contains("parrot").contains("6");
      var json = LoadReport.json(figures);
      assertThat(json.at("/levels/1/concurrency").asInt()).isEqualTo(3);
      assertThat(json.toString()).doesNotContain("secret");
    }
  }

  @Test
  void letsArrivalsComeAtRandomTimes() throws Exception {
    try (var engine = echo();
        var server = new TestServer(engine)) {
      var closed = plan(server.uri("/"), 2);
      var plan =
          new LoadPlan(
              closed.url(),
              closed.model(),
              closed.apiKey(),
              List.of(2),
              6,
              0,
              40,
              4,
              0.5,
              OptionalDouble.of(200),
              false,
              7,
              10);
      var figures = new LoadRun(plan, (_, _, _) -> {}).run();
      assertThat(figures.levels().getFirst().answered()).isEqualTo(6);
    }
  }

  @Test
  void countsFailuresByKindAndGoesOn() throws Exception {
    var asked = new AtomicInteger();
    var server =
        serve(
            exchange -> {
              switch (asked.getAndIncrement()) {
                case 0 -> stream(exchange, TEXT, COUNTED.formatted(12), "[DONE]");
                case 1 -> answer(exchange, 200, COUNTED.formatted(12));
                case 2 -> answer(exchange, 200, COUNTED.formatted(62));
                case 3 -> answer(exchange, 429, "busy");
                case 4 -> stream(exchange, TEXT); // cut off
                case 5 -> stream(exchange, TEXT, "{\"error\":{\"message\":\"no\"}}", "[DONE]");
                case 6 -> stream(exchange, TEXT, "{broken", "[DONE]");
                case 7 -> sleep(20_000);
                default -> stream(exchange, TEXT, TEXT, COUNTED.formatted(100), "[DONE]");
              }
            });
    try {
      var url = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
      var plan = chats(url, 1, 6, 0, 100, 1);
      var level = new LoadRun(plan, (_, _, _) -> {}).run().levels().getFirst();
      assertThat(level.answered()).isEqualTo(1);
      assertThat(level.errors())
          .containsExactlyInAnyOrderEntriesOf(
              Map.of(
                  "HTTP 429", 1,
                  "stream cut off", 1,
                  "error in the stream", 1,
                  "not JSON", 1,
                  "timeout", 1));
    } finally {
      server.stop(0);
    }
  }

  /** As llama-cpp-python does. */
  @Test
  void learnsLengthsFromAServerThatCountsInWholeAnswersAlone() throws Exception {
    var words = new CopyOnWriteArrayList<Integer>();
    var server =
        serve(
            exchange -> {
              var body = JsonMapper.shared().readTree(exchange.getRequestBody().readAllBytes());
              var count = body.at("/messages/0/content").asString().split(" ").length;
              if (body.get("stream").asBoolean()) {
                words.add(count);
                stream(exchange, TEXT, "[DONE]");
              } else {
                answer(exchange, 200, COUNTED.formatted(30 + 3 * count));
              }
            });
    try {
      var url = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
      var plan = chats(url, 1, 2, 0, 330, 10);
      new LoadRun(plan, (_, _, _) -> {}).run();
      assertThat(words).containsExactly(10, 100, 100);
    } finally {
      server.stop(0);
    }
  }

  @Test
  void goesOnWithoutIgnoreEosWhereItIsRefused() throws Exception {
    var server =
        serve(
            exchange -> {
              var body =
                  new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
              if (body.contains("ignore_eos")) {
                answer(exchange, 400, "{\"error\":{\"param\":\"ignore_eos\"}}");
              } else {
                stream(exchange, TEXT, TEXT, "[DONE]");
              }
            });
    try {
      var url = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
      var plan = chats(url, 2, 4, 1, 100, 10);
      var figures = new LoadRun(plan, (_, _, _) -> {}).run();
      assertThat(figures.answersMayBeShorter()).isTrue();
      assertThat(figures.levels().getFirst().counted()).isFalse();
      assertThat(figures.levels().getFirst().tokens()).isEqualTo(8);
      assertThat(LoadReport.table(figures)).contains("ignore_eos").contains("did not count");
    } finally {
      server.stop(0);
    }
  }

  /** As llama.cpp's server does after some answers. */
  @Test
  void asksAgainWhereAConnectionIsClosedWhenItIsUsedAgain() throws Exception {
    try (var server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      Thread.startVirtualThread(
          () -> {
            try {
              while (true) {
                answerOnce(server.accept());
              }
            } catch (IOException _) {
              // The test is over.
            }
          });
      var url = URI.create("http://127.0.0.1:" + server.getLocalPort());
      var plan = chats(url, 1, 4, 0, 100, 10);
      var level = new LoadRun(plan, (_, _, _) -> {}).run().levels().getFirst();
      assertThat(level.errors()).isEmpty();
      assertThat(level.answered()).isEqualTo(4);
    }
  }

  /** Answers a request as if it would answer more, and closes when the next one comes. */
  private static void answerOnce(Socket connection) throws IOException {
    try (connection) {
      readRequest(connection.getInputStream());
      var body = "data: %s\n\ndata: [DONE]\n\n".formatted(TEXT);
      connection
          .getOutputStream()
          .write(
              "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                  .formatted(body.length(), body)
                  .getBytes(StandardCharsets.UTF_8));
      readRequest(connection.getInputStream());
    }
  }

  private static void readRequest(InputStream in) throws IOException {
    var text = new StringBuilder();
    for (var b = in.read(); b >= 0; b = in.read()) {
      text.append((char) b);
      // Every body here is an object whose last bytes are these.
      if (text.indexOf("\r\n\r\n") > 0 && text.toString().endsWith("\"ignore_eos\":true}")) {
        return;
      }
    }
  }

  @Test
  void saysThatNobodyListens() {
    assertThatThrownBy(
            () -> new LoadRun(plan(URI.create("http://127.0.0.1:1"), 1), (_, _, _) -> {}).run())
        .isInstanceOf(IOException.class);
  }

  private static LoadPlan plan(URI url, Integer... concurrency) {
    return new LoadPlan(
        url,
        Optional.empty(),
        Optional.of("secret"),
        List.of(concurrency),
        6,
        1,
        100,
        8,
        0.25,
        OptionalDouble.empty(),
        true,
        1,
        30);
  }

  /** Short answers of a server that is not ours. */
  private static LoadPlan chats(
      URI url, int concurrency, int requests, int warmUp, int promptTokens, int timeout) {
    return new LoadPlan(
        url,
        Optional.of("m"),
        Optional.empty(),
        List.of(concurrency),
        requests,
        warmUp,
        promptTokens,
        2,
        0,
        OptionalDouble.empty(),
        true,
        1,
        timeout);
  }

  private static Engine echo() {
    return EngineCatalog.find(Optional.empty())
        .named("echo")
        .orElseThrow()
        .open(
            new EngineContext(
                Optional.empty(),
                Optional.of("parrot"),
                Map.of(
                    "tokens-per-second", "0",
                    "max-queue", "20",
                    "max-running", "4",
                    "context-length", "4096"),
                (_, _, _) -> {}));
  }

  private interface Handler {
    void handle(HttpExchange exchange) throws IOException;
  }

  private static HttpServer serve(Handler handler) throws IOException {
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            handler.handle(exchange);
          }
        });
    server.start();
    return server;
  }

  private static void stream(HttpExchange exchange, String... events) throws IOException {
    exchange.sendResponseHeaders(200, 0);
    for (var event : events) {
      exchange
          .getResponseBody()
          .write(("data: " + event + "\n\n").getBytes(StandardCharsets.UTF_8));
    }
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    var bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
