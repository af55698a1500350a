package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.spi.FinishReason;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine here heeds no deadline: what ends a request is the gateway. */
class TimeoutsTest {
  private static final String MESSAGES = "'messages':[{'role':'user','content':'x'}]";
  private static final Duration LONG = Duration.ofMinutes(1);

  private final ScriptedEngine engine = new ScriptedEngine();
  private TestServer server;

  @AfterEach
  void close() {
    server.close();
    engine.close();
  }

  private void serve(Duration request, Duration token) {
    server =
        new TestServer(
            engine,
            settings ->
                settings
                    .with(new GatewaySettings.Limits(100, 10, 100_000))
                    .with(
                        settings
                            .times()
                            .withAnswer(Optional.of(request), Optional.ofNullable(token))));
  }

  @Test
  void endsWhatTakesLongerThanTheServerAllows() {
    serve(Duration.ofMillis(300), null);
    var before = Instant.now();
    var reply = server.postLater(CHAT, "{'n':2,%s}".formatted(MESSAGES));
    engine.asked(0).started(1, 0).text("half");
    var response = reply.join();
    assertTimedOut(response, "request_timeout");
    assertThat(engine.asked()).hasSize(2).allMatch(ScriptedEngine.Asked::isCancelled);
    // An engine that heeds it need not be told.
    assertThat(engine.asked(0).request().deadline().orElseThrow())
        .isBetween(before, before.plusSeconds(5));
  }

  @Test
  void endsAStreamWithAllThatCameAndAnError() {
    serve(Duration.ofMillis(300), null);
    var reply = server.postLater(CHAT, "{'stream':true,%s}".formatted(MESSAGES));
    // Fewer tokens than go into a chunk.
    engine.asked(0).started(1, 0).text("half ").text("an answer");
    var response = reply.join();
    assertThat(response.statusCode()).isEqualTo(200);
    var events = TestServer.events(response.body());
    assertThat(events).hasSize(3);
    assertThat(events.get(1)).contains("half an answer");
    assertThat(TestServer.JSON.readTree(events.get(2)).at("/error/code").asString())
        .isEqualTo("request_timeout");
    assertThat(response.body()).doesNotContain("\"finish_reason\":\"");
    await().until(() -> engine.asked(0).isCancelled());
  }

  @Test
  void goesByTheRequestWhereItSays() throws Exception {
    serve(Duration.ofMillis(100), null);
    var slow = server.postLater(CHAT, "{'timeout':20,%s}".formatted(MESSAGES));
    var choice = engine.asked(0).started(1, 0);
    var quick = server.postLater(CHAT, "{'timeout':0.01,%s}".formatted(MESSAGES));
    assertTimedOut(quick.join(), "request_timeout");
    Thread.sleep(200);
    choice.text("a").finish(FinishReason.STOP);
    assertThat(slow.join().statusCode()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void endsAChoiceThatFallsSilent(boolean stream) {
    serve(LONG, Duration.ofMillis(200));
    var reply = server.postLater(CHAT, "{'n':2,'stream':%s,%s}".formatted(stream, MESSAGES));
    var silent = engine.asked(0).started(1, 0);
    engine.asked(1).started(1, 0).text("done").finish(FinishReason.STOP);
    var last = System.nanoTime();
    silent.text("a");
    var response = reply.join();
    assertThat(Duration.ofNanos(System.nanoTime() - last)).isGreaterThan(Duration.ofMillis(190));
    if (stream) {
      assertThat(TestServer.events(response.body()).getLast()).contains("token_timeout");
    } else {
      assertTimedOut(response, "token_timeout");
    }
    assertThat(silent.isCancelled()).isTrue();
  }

  @Test
  void waitsForTheFirstTokenAndWhileTokensCome() throws Exception {
    serve(LONG, Duration.ofMillis(800));
    var reply = server.postLater(CHAT, "{%s}".formatted(MESSAGES));
    var choice = engine.asked(0).started(1, 0);
    Thread.sleep(1000);
    for (var i = 0; i < 12; i++) {
      choice.text("a");
      Thread.sleep(100);
    }
    choice.finish(FinishReason.STOP);
    assertThat(reply.join().statusCode()).isEqualTo(200);
  }

  @Test
  void aChoiceThatIsDoneWaitsForTheOthersWithoutLimit() throws Exception {
    serve(LONG, Duration.ofMillis(100));
    var reply = server.postLater(CHAT, "{'n':2,%s}".formatted(MESSAGES));
    engine.asked(0).started(1, 0).text("done").finish(FinishReason.STOP);
    var late = engine.asked(1);
    Thread.sleep(300);
    late.started(1, 0).text("a").finish(FinishReason.STOP);
    assertThat(reply.join().statusCode()).isEqualTo(200);
  }

  private static void assertTimedOut(HttpResponse<String> response, String code) {
    assertThat(response.statusCode()).isEqualTo(504);
    var error = TestServer.json(response).get("error");
    assertThat(error.get("type").asString()).isEqualTo("timeout_error");
    assertThat(error.get("code").asString()).isEqualTo(code);
    assertThat(response.headers().firstValue("x-should-retry")).contains("false");
  }
}
