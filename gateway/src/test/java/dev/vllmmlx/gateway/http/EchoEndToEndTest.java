package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static dev.vllmmlx.gateway.TestServer.COMPLETIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.gateway.plugin.EngineCatalog;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineContext;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** With an engine that keeps its contract by itself, found as every engine is. */
class EchoEndToEndTest {
  private static final String MESSAGES =
      "'messages':[{'role':'user','content':'hello wide world'}]";

  private final Engine engine = open("0");
  private final TestServer server = new TestServer(engine);

  private static Engine open(String rate) {
    return EngineCatalog.find(Optional.empty())
        .named("echo")
        .orElseThrow()
        .open(
            new EngineContext(
                Optional.empty(),
                Optional.of("parrot"),
                Map.of(
                    "tokens-per-second", rate,
                    "max-queue", "2",
                    "max-running", "1",
                    "context-length", "64"),
                (_, _, _) -> {}));
  }

  @AfterEach
  void close() {
    server.close();
    engine.close();
  }

  @Test
  void answersWithThePromptsWords() {
    var body = TestServer.json(server.post(CHAT, "{'model':'parrot',%s}".formatted(MESSAGES)));
    assertThat(body.at("/choices/0/message/content").stringValue()).isEqualTo("hello wide world");
    assertThat(body.at("/choices/0/finish_reason").stringValue()).isEqualTo("stop");
    var fold =
        StreamFold.of(
            TestServer.chunks(server.post(CHAT, "{'stream':true,%s}".formatted(MESSAGES))));
    assertThat(fold.text(0)).isEqualTo("hello wide world");
  }

  @Test
  void endsAtAStopStringAndAtALength() {
    var stopped = server.post(CHAT, "{'stop':' world','stream':true,%s}".formatted(MESSAGES));
    assertThat(StreamFold.of(TestServer.chunks(stopped)).text(0)).isEqualTo("hello wide");
    var cut = TestServer.json(server.post(COMPLETIONS, "{'prompt':'hello','max_tokens':4}"));
    assertThat(cut.at("/choices/0/text").stringValue()).isEqualTo("hell");
    assertThat(cut.at("/choices/0/finish_reason").stringValue()).isEqualTo("length");
    assertThat(cut.at("/usage/completion_tokens").intValue()).isEqualTo(4);
  }

  @Test
  void refusesAPromptThatLeavesNoRoom() {
    var response = server.post(COMPLETIONS, "{'prompt':'%s'}".formatted("x".repeat(100)));
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(TestServer.json(response).at("/error/code").stringValue())
        .isEqualTo("context_length_exceeded");
  }

  @Test
  void refusesMoreThanItsQueueHolds() {
    var slow = open("20");
    try (slow;
        var busy = new TestServer(slow)) {
      var running = busy.postLater(COMPLETIONS, "{'prompt':'hello hello hello'}");
      await().until(() -> slow.status().running() == 1);
      var waiting = busy.postLater(COMPLETIONS, "{'prompt':'a','n':2}");
      await().until(() -> slow.status().waiting() == 2);
      var refused = busy.post(COMPLETIONS, "{'prompt':'a'}");
      assertThat(refused.statusCode()).isEqualTo(429);
      assertThat(refused.headers().firstValue("retry-after")).isPresent();
      assertThat(running.join().statusCode()).isEqualTo(200);
      assertThat(waiting.join().statusCode()).isEqualTo(200);
    }
  }

  @Test
  void aClientThatLeavesFreesItsPlace() throws Exception {
    var slow = open("10");
    try (slow;
        var busy = new TestServer(slow)) {
      try (var socket = busy.connect()) {
        socket
            .getOutputStream()
            .write(TestServer.wire(COMPLETIONS, "{'prompt':'0123456789','n':3}"));
        await().until(() -> slow.status().running() + slow.status().waiting() == 3);
      }
      await()
          .atMost(Duration.ofSeconds(2))
          .until(() -> slow.status().running() + slow.status().waiting() == 0);
    }
  }

  @Test
  void saysHowFarARequestIsAndEndsIt() {
    var slow = open("10");
    try (slow;
        var busy = new TestServer(slow)) {
      var reply = busy.postLater(COMPLETIONS, "{'prompt':'0123456789','ignore_eos':true}");
      var requests = new AtomicReference<JsonNode>();
      await()
          .until(
              () -> {
                requests.set(TestServer.json(busy.get("/v1/status")).get("requests"));
                return requests.get().path(0).path("generated_tokens").asInt(0) > 2;
              });
      var request = requests.get().get(0);
      assertThat(request.get("phase").asString()).isEqualTo("decode");
      assertThat(request.get("prompt_tokens").intValue()).isEqualTo(10);
      var id = request.get("id").asString();
      var cancelled = busy.post("/v1/requests/%s/cancel".formatted(id), "");
      var tokens =
          TestServer.json(cancelled).at("/cancelled/0/choices/0/completion_tokens").intValue();
      var body = TestServer.json(reply.join());
      assertThat(body.get("id").asString()).isEqualTo(id);
      assertThat(body.at("/choices/0/finish_reason").asString()).isEqualTo("abort");
      assertThat(body.at("/choices/0/text").asString()).hasSize(tokens);
      assertThat(body.at("/usage/completion_tokens").intValue()).isEqualTo(tokens);
      assertThat(TestServer.json(busy.get("/v1/status")).get("requests").isEmpty()).isTrue();
    }
  }

  @Test
  void endsWhatIsCancelledAndNothingElse() throws Exception {
    var calls = 120;
    var prompt = "0123456789".repeat(4);
    var random = new Random(7);
    var busyEngine =
        EngineCatalog.find(Optional.empty())
            .named("echo")
            .orElseThrow()
            .open(
                new EngineContext(
                    Optional.empty(),
                    Optional.of("parrot"),
                    Map.of(
                        "tokens-per-second", "100",
                        "max-queue", "256",
                        "max-running", "20",
                        "context-length", "256"),
                    (_, _, _) -> {}));
    try (busyEngine;
        var busy = new TestServer(busyEngine)) {
      var replies = new ArrayList<CompletableFuture<HttpResponse<String>>>();
      for (var i = 0; i < calls; i++) {
        var json = "{'prompt':'%s','stream':%s}".formatted(prompt, i % 3 != 0);
        replies.add(
            busy.sendLater(
                busy.posting(COMPLETIONS, json).header("x-request-id", "call-" + i).build()));
      }
      await().until(() -> busyEngine.status().waiting() > 0);
      var ends = new HashMap<Integer, HttpResponse<String>>();
      for (var i = 0; i < calls; i += 2) {
        Thread.sleep(random.nextInt(15));
        ends.put(i, busy.post("/v1/requests/call-%d/cancel".formatted(i), ""));
      }
      for (var i = 0; i < calls; i++) {
        var reply = replies.get(i).join();
        var streamed = i % 3 != 0;
        var body = streamed ? null : TestServer.json(reply);
        var fold = streamed ? StreamFold.of(TestServer.chunks(reply)) : null;
        var text = streamed ? fold.text(0) : body.at("/choices/0/text").asString();
        var reason =
            streamed
                ? fold.finishReasons().getFirst()
                : body.at("/choices/0/finish_reason").asString();
        if (ends.containsKey(i) && ends.get(i).statusCode() == 200) {
          var cut = TestServer.json(ends.get(i)).at("/cancelled/0/choices/0");
          assertThat(reason).as("call %d", i).isEqualTo("abort");
          assertThat(prompt).startsWith(text);
          assertThat(text).hasSize(cut.get("completion_tokens").intValue());
        } else {
          assertThat(reason).as("call %d", i).isEqualTo("stop");
          assertThat(text).isEqualTo(prompt);
        }
      }
      assertThat(ends.values()).anyMatch(it -> it.statusCode() == 200);
      await().until(() -> busyEngine.status().running() + busyEngine.status().waiting() == 0);
    }
  }

  @Test
  void cancelsAtTheTimeout() {
    var slow = open("10");
    try (slow;
        var busy = new TestServer(slow)) {
      var response = busy.post(COMPLETIONS, "{'prompt':'0123456789','timeout':0.2}");
      assertThat(response.statusCode()).isEqualTo(504);
    }
  }
}
