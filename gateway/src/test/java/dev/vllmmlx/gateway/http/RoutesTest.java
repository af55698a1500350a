package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static dev.vllmmlx.gateway.TestServer.COMPLETIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.spi.EngineStatus;
import dev.vllmmlx.spi.FinishReason;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RoutesTest {
  private static final String CHATTING = "{'messages':[{'role':'user','content':'x'}]}";

  private final ScriptedEngine engine = new ScriptedEngine().says("x");
  private TestServer server = new TestServer(engine);

  @AfterEach
  void close() {
    server.close();
    engine.close();
  }

  private void serve(List<String> keys, List<String> origins, long maxBody, Duration bodyTime) {
    server.close();
    server =
        new TestServer(
            engine,
            settings ->
                settings
                    .withKeys(keys)
                    .withOrigins(origins)
                    .with(new GatewaySettings.Limits(100, 1, maxBody))
                    .with(settings.times().withBody(bodyTime)));
  }

  @Test
  void listsTheModel() {
    var model =
        "{\"id\":\"acme/tiny-model\",\"object\":\"model\",\"created\":1700000000,"
            + "\"owned_by\":\"vllm-mlx\",\"max_model_len\":4096}";
    assertThat(server.get("/v1/models").body())
        .isEqualTo("{\"object\":\"list\",\"data\":[" + model + "]}");
    for (var path :
        List.of("acme/tiny-model", "acme%2Ftiny-model", "acme%2ftiny-model", "default")) {
      var response = server.get("/v1/models/" + path);
      assertThat(response.statusCode()).as(path).isEqualTo(200);
      assertThat(response.body()).isEqualTo(model);
    }
    for (var path : List.of("acme", "acme/tiny-model/x", "gpt-4", "a%20b")) {
      var response = server.get("/v1/models/" + path);
      assertThat(response.statusCode()).as(path).isEqualTo(404);
      assertThat(code(response)).isEqualTo("model_not_found");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"'default'", "'acme/tiny-model'", "null"})
  void servesTheModelUnderItsNames(String name) {
    var response =
        server.post(
            CHAT, "{'model':%s,'messages':[{'role':'user','content':'x'}]}".formatted(name));
    assertThat(TestServer.json(response).get("model").stringValue())
        .isEqualTo(ScriptedEngine.MODEL);
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /v1/chat/completions, POST",
    "DELETE, /v1/completions, POST",
    "POST, /v1/models, 'GET, HEAD'",
    "PUT, /v1/models/acme/tiny-model, 'GET, HEAD'",
    "POST, /health, 'GET, HEAD'",
    "POST, /metrics, 'GET, HEAD'",
    "POST, /v1/status, 'GET, HEAD'",
    "OPTIONS, /v1/chat/completions, POST"
  })
  void namesTheMethodsOfAPath(String method, String path, String allowed) {
    var response =
        server.send(
            server.request(path).method(method, HttpRequest.BodyPublishers.ofString("{}")).build());
    assertThat(response.statusCode()).isEqualTo(405);
    assertThat(response.headers().firstValue("allow")).contains(allowed);
    assertThat(code(response)).isEqualTo("method_not_allowed");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/v1", "/v1/embeddings", "/v1/chat/completions/x", "/health/x"})
  void knowsNoOtherPath(String path) {
    var response = server.get(path);
    assertThat(response.statusCode()).isEqualTo(404);
    assertThat(code(response)).isEqualTo("not_found");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/health", "/v1/status", "/v1/models", "/v1/models/acme/tiny-model"})
  void answersHeadLikeGetWithoutABody(String path) {
    var head =
        server.send(
            server.request(path).method("HEAD", HttpRequest.BodyPublishers.noBody()).build());
    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(head.body()).isEmpty();
    assertThat(head.headers().firstValue("content-type")).contains("application/json");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET /%zz HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /v1/models/%zz HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /v1/models/% HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET foo HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /health HTTP/1.1\r\n\r\n",
        "POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n",
        "nonsense\r\n\r\n"
      })
  void answersNonsense(String wire) throws IOException {
    try (var socket = server.connect()) {
      socket.getOutputStream().write(wire.getBytes(StandardCharsets.US_ASCII));
      assertThat(head(socket)).containsPattern("^HTTP/1\\.[01] (200|400|404) ");
    }
  }

  @Test
  void answersABadPathWithAnErrorsBody() throws IOException {
    try (var socket = server.connect()) {
      var wire = "GET /v1/models/%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
      socket.getOutputStream().write(wire.getBytes(StandardCharsets.US_ASCII));
      assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
          .startsWith("HTTP/1.1 400 ")
          .contains("\"code\":\"bad_request\"");
    }
  }

  @Test
  void repeatsTheClientsRequestIdOrMakesOne() {
    var request = server.posting(CHAT, CHATTING);
    var own = server.send(request.copy().header("x-request-id", "my-id.1_2").build());
    assertThat(own.headers().firstValue("x-request-id")).contains("my-id.1_2");
    var bad = server.send(request.copy().header("x-request-id", "a b<script>").build());
    assertThat(bad.headers().firstValue("x-request-id").orElseThrow()).matches("[0-9a-f]{32}");
    var none = server.get("/nothing");
    assertThat(none.headers().firstValue("x-request-id").orElseThrow()).matches("[0-9a-f]{32}");
  }

  @Test
  void namesFieldsThatNobodyKnows() {
    var response =
        server.post(
            CHAT,
            "{'user':'me','foo':1,'b\\u00e4r\\r\\nx: y':2,'stream_options':null,"
                + "'messages':[{'role':'user','mood':'good','content':[{'type':'text','text':'x','color':1}]}]}");
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("x-ignored-fields"))
        .contains("foo, b?r??x??y, messages[0].mood, messages[0].content[0].color");
    assertThat(server.post(CHAT, CHATTING).headers().firstValue("x-ignored-fields")).isEmpty();
    var inner =
        server.post(COMPLETIONS, "{'prompt':'x','stream':true,'stream_options':{'foo':true}}");
    assertThat(inner.headers().firstValue("x-ignored-fields")).contains("stream_options.foo");
  }

  @Test
  void wantsTheKeyWhereThereIsOne() {
    serve(List.of("s3cret"), List.of(), 1000, Duration.ofSeconds(5));
    assertThat(server.get("/health").statusCode()).isEqualTo(200);
    for (var header : List.of("", "Bearer", "Bearer wrong", "s3cret", "Basic s3cret")) {
      var request = server.posting(CHAT, CHATTING);
      if (!header.isEmpty()) {
        request.header("authorization", header);
      }
      var response = server.send(request.build());
      assertThat(response.statusCode()).as(header).isEqualTo(401);
      assertThat(code(response)).isEqualTo("invalid_api_key");
      assertThat(response.headers().firstValue("www-authenticate")).contains("Bearer");
    }
    for (var path : List.of("/v1/models", "/v1//models", "/v1/./models", "/%76%31/models")) {
      assertThat(server.get(path).statusCode()).as(path).isIn(401, 404);
    }
    for (var header : List.of("Bearer s3cret", "bearer  s3cret ")) {
      var response =
          server.send(server.posting(CHAT, CHATTING).header("authorization", header).build());
      assertThat(response.statusCode()).as(header).isEqualTo(200);
    }
    assertThat(engine.asked(0).request().tenant())
        .isNotEmpty()
        .doesNotContain("s3cret")
        .isEqualTo(engine.asked(1).request().tenant());
  }

  @Test
  void takesAnyOfSeveralKeysAndTellsThemApart() {
    serve(List.of("one", "two"), List.of(), 1000, Duration.ofSeconds(5));
    for (var key : List.of("one", "two", "one", "onetwo")) {
      var response =
          server.send(
              server.posting(CHAT, CHATTING).header("authorization", "Bearer " + key).build());
      assertThat(response.statusCode()).as(key).isEqualTo(key.equals("onetwo") ? 401 : 200);
    }
    var tenants = engine.asked().stream().map(it -> it.request().tenant()).toList();
    assertThat(tenants.get(0)).isEqualTo(tenants.get(2)).isNotEqualTo(tenants.get(1));
  }

  @Test
  void letsPagesOfAllowedOriginsIn() {
    serve(List.of("key"), List.of("http://ui.example"), 1000, Duration.ofSeconds(5));
    var preflight =
        server
            .request(CHAT)
            .method("OPTIONS", HttpRequest.BodyPublishers.noBody())
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type");
    var good = server.send(preflight.copy().header("origin", "http://ui.example").build());
    assertThat(good.statusCode()).isBetween(200, 204);
    assertThat(good.headers().firstValue("access-control-allow-origin"))
        .contains("http://ui.example");
    assertThat(good.headers().firstValue("access-control-allow-headers").orElseThrow())
        .contains("authorization", "content-type");
    var bad = server.send(preflight.copy().header("origin", "http://evil.example").build());
    assertThat(bad.statusCode()).isEqualTo(403);
    assertThat(bad.headers().firstValue("access-control-allow-origin")).isEmpty();

    var chat =
        server.send(
            server
                .posting(CHAT, CHATTING)
                .header("origin", "http://ui.example")
                .header("authorization", "Bearer key")
                .build());
    assertThat(chat.statusCode()).isEqualTo(200);
    assertThat(chat.headers().firstValue("access-control-allow-origin"))
        .contains("http://ui.example");
    assertThat(chat.headers().firstValue("access-control-expose-headers").orElseThrow())
        .contains("x-request-id");
  }

  @Test
  void letsAnyPageInWhereAllAreAllowed() {
    serve(List.of(), List.of("*"), 1000, Duration.ofSeconds(5));
    var response =
        server.send(server.request("/v1/models").header("origin", "http://any.example").build());
    assertThat(response.headers().firstValue("access-control-allow-origin").orElseThrow())
        .isIn("*", "http://any.example");
  }

  @Test
  void refusesABodyThatIsTooLarge() throws IOException {
    serve(List.of(), List.of(), 1000, Duration.ofSeconds(5));
    var large = "{'prompt':'%s'}".formatted("x".repeat(300_000));
    var declared = server.post(COMPLETIONS, large);
    assertThat(declared.statusCode()).isEqualTo(413);
    assertThat(code(declared)).isEqualTo("body_too_large");
    var chunked =
        server.send(
            server
                .request(COMPLETIONS)
                .POST(
                    HttpRequest.BodyPublishers.ofInputStream(
                        () ->
                            new java.io.ByteArrayInputStream(
                                large.getBytes(StandardCharsets.UTF_8))))
                .build());
    assertThat(chunked.statusCode()).isEqualTo(413);
    // The connection is as good as new.
    try (var socket = server.connect()) {
      for (var i = 0; i < 2; i++) {
        socket.getOutputStream().write(TestServer.wire(COMPLETIONS, large));
        var answer = head(socket);
        assertThat(answer).startsWith("HTTP/1.1 413 ");
        skipBody(socket, answer);
      }
      socket.getOutputStream().write(TestServer.wire(COMPLETIONS, "{'prompt':'x'}"));
      assertThat(head(socket)).startsWith("HTTP/1.1 200 ");
    }
  }

  @ParameterizedTest
  @CsvSource({"10, 100 ", "2000, 413 "})
  void saysBeforehandWhetherABodyMayCome(int length, String status) throws IOException {
    serve(List.of(), List.of(), 1000, Duration.ofSeconds(5));
    try (var socket = server.connect()) {
      socket
          .getOutputStream()
          .write(
              "POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\nexpect: 100-continue\r\n\r\n"
                  .formatted(COMPLETIONS, length)
                  .getBytes(StandardCharsets.US_ASCII));
      assertThat(head(socket)).startsWith("HTTP/1.1 " + status);
    }
  }

  @Test
  void waitsForABodyOnlySoLong() throws IOException {
    serve(List.of(), List.of(), 1000, Duration.ofMillis(200));
    try (var socket = server.connect()) {
      var out = socket.getOutputStream();
      out.write(
          "POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{"
              .formatted(COMPLETIONS)
              .getBytes(StandardCharsets.US_ASCII));
      assertThat(head(socket)).startsWith("HTTP/1.1 408 ");
      assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
          .contains("body_timeout");
    }
  }

  @Test
  void answersAClientThatWouldRatherSpeakHttp2() throws Exception {
    try (var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build()) {
      var response =
          client.send(server.posting(CHAT, CHATTING).build(), HttpResponse.BodyHandlers.ofString());
      assertThat(response.statusCode()).isEqualTo(200);
      assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
      assertThat(response.body()).contains("chat.completion");
    }
  }

  @Test
  void takesABodyOfAnyContentType() {
    for (var type :
        List.of("text/plain", "application/x-www-form-urlencoded", "multipart/form-data")) {
      var response =
          server.send(
              server
                  .posting(COMPLETIONS, "{'prompt':'x'}")
                  .setHeader("content-type", type)
                  .build());
      assertThat(response.statusCode()).as(type).isEqualTo(200);
    }
  }

  @Test
  void isHealthyWhileTheEngineIs() {
    var good = server.get("/health");
    assertThat(good.statusCode()).isEqualTo(200);
    assertThat(good.body())
        .isEqualTo(
            "{\"status\":\"healthy\",\"model\":\"acme/tiny-model\",\"engine\":{\"state\":\"ready\","
                + "\"seen_alive_ms_ago\":3,\"running\":0,\"waiting\":0}}");
    engine.status(
        new EngineStatus(
            EngineStatus.State.FAILED,
            "out of memory",
            Duration.ZERO,
            1,
            2,
            Map.of("a_bytes", 5.0)));
    var failed = server.get("/health");
    assertThat(failed.statusCode()).isEqualTo(503);
    assertThat(failed.body()).contains("unhealthy", "failed: out of memory", "\"a_bytes\":5.0");
    engine.status(
        new EngineStatus(EngineStatus.State.READY, "", Duration.ofSeconds(61), 1, 0, Map.of()));
    var stuck = server.get("/health");
    assertThat(stuck.statusCode()).isEqualTo(503);
    assertThat(stuck.body()).contains("last seen alive 61 s ago");
  }

  @Test
  void drains() {
    engine.script(_ -> {});
    var running = server.postLater(CHAT, CHATTING.replace("{'m", "{'stream':true,'m"));
    var choice = engine.asked(0).started(1, 0).text("a");
    var drained = server.gateway().drain(Duration.ofSeconds(10));
    var refused = server.post(CHAT, CHATTING);
    assertThat(refused.statusCode()).isEqualTo(503);
    assertThat(code(refused)).isEqualTo("shutting_down");
    assertThat(refused.headers().firstValue("retry-after")).isPresent();
    assertThat(server.get("/health").statusCode()).isEqualTo(503);
    assertThat(drained.isComplete()).isFalse();
    choice.text("b").finish(FinishReason.STOP);
    assertThat(StreamFold.of(TestServer.chunks(running.join())).text(0)).isEqualTo("ab");
    await().atMost(Duration.ofSeconds(2)).until(drained::isComplete);
  }

  @Test
  void endsWhatIsOverdueWithAnError() {
    engine.script(_ -> {});
    var stream = server.postLater(CHAT, CHATTING.replace("{'m", "{'stream':true,'m"));
    engine.asked(0).started(1, 0).text("a");
    var body = server.postLater(CHAT, CHATTING);
    engine.asked(1).started(1, 0).text("a");
    server.gateway().drain(Duration.ofMillis(150)).await();
    assertThat(TestServer.events(stream.join().body()).getLast()).contains("shutting_down");
    assertThat(stream.join().body()).doesNotContain("\"finish_reason\":\"");
    assertThat(body.join().statusCode()).isEqualTo(503);
    assertThat(engine.asked()).allMatch(ScriptedEngine.Asked::isCancelled);
  }

  @Test
  void drainsAtOnceWhenNothingRuns() {
    assertThat(server.gateway().drain(Duration.ofMinutes(1)).succeeded()).isTrue();
  }

  private static String code(HttpResponse<String> response) {
    return TestServer.json(response).at("/error/code").stringValue();
  }

  private static String head(Socket socket) throws IOException {
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      var c = socket.getInputStream().read();
      if (c < 0) {
        throw new IOException("closed after: " + head);
      }
      head.append((char) c);
    }
    return head.toString();
  }

  private static void skipBody(Socket socket, String head) throws IOException {
    var length =
        head.toLowerCase(java.util.Locale.ROOT).split("content-length: ")[1].split("\r")[0];
    socket.getInputStream().readNBytes(Integer.parseInt(length));
  }
}
