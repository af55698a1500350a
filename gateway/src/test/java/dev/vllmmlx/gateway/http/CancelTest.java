package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static dev.vllmmlx.gateway.TestServer.COMPLETIONS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.spi.FinishReason;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CancelTest {
  private static final String MESSAGES = "'messages':[{'role':'user','content':'x'}]";

  private final ScriptedEngine engine = new ScriptedEngine();
  private TestServer server = new TestServer(engine);

  @AfterEach
  void close() {
    server.close();
    engine.close();
  }

  @Test
  void endsAStreamWithALastChunk() {
    var reply = ask(CHAT, "{'stream':true,'stream_options':{'include_usage':true},'n':2,%s}");
    var first = engine.asked(0).started(5, 1).text("one").text(" two");
    engine.asked(1).started(5, 1).text("done").finish(FinishReason.STOP);
    var id = first.request().id();

    var cancelled = cancel(id, "");
    assertThat(cancelled.statusCode()).isEqualTo(200);
    assertThat(cancelled.body())
        .isEqualTo(
            ("{'id':'%s','object':'request.cancellation','cancelled':[{'id':'%s',"
                    + "'choices':[{'index':0,'completion_tokens':2}]}]}")
                .formatted(id, id)
                .replace('\'', '"'));

    var chunks = TestServer.chunks(reply.join());
    var fold = StreamFold.of(chunks);
    assertThat(chunks).allSatisfy(chunk -> assertThat(chunk.get("id").asString()).isEqualTo(id));
    assertThat(fold.text(0)).isEqualTo("one two");
    assertThat(fold.finishReasons()).containsExactly("abort", "stop");
    assertThat(chunks.getLast().at("/usage/completion_tokens").intValue()).isEqualTo(3);
    assertThat(engine.asked(0).isCancelled()).isTrue();
    assertThat(cancel(id, "").statusCode()).isEqualTo(404);
  }

  @ParameterizedTest
  @ValueSource(strings = {CHAT, COMPLETIONS})
  void endsABodyWithWhatIsThere(String path) {
    var reply = ask(path, path.equals(CHAT) ? "{%s}" : "{'prompt':'x'}");
    var choice = engine.asked(0).started(5, 0).text("half");
    assertThat(cancel(choice.request().id(), "").statusCode()).isEqualTo(200);
    var body = reply.join();
    assertThat(body.statusCode()).isEqualTo(200);
    assertThat(TestServer.json(body).at("/choices/0/finish_reason").asString()).isEqualTo("abort");
    assertThat(body.body()).contains("\"half\"");
  }

  @Test
  void endsARequestThatStillWaits() {
    var reply = ask(CHAT, "{'stream':true,%s}");
    var id = engine.asked(0).request().id();
    assertThat(cancel(id, "").statusCode()).isEqualTo(200);
    var fold = StreamFold.of(TestServer.chunks(reply.join()));
    assertThat(fold.text(0)).isEmpty();
    assertThat(fold.finishReasons()).containsExactly("abort");
  }

  @Test
  void endsEveryPromptOfACompletion() {
    var reply = ask(COMPLETIONS, "{'prompt':['a','b'],'n':2}");
    for (var i = 0; i < 4; i++) {
      engine.asked(i).started(1, 0).text("t");
    }
    var id = engine.asked(0).request().id().replaceFirst("-0$", "");
    var cancelled = TestServer.json(cancel(id, "")).at("/cancelled/0/choices");
    assertThat(cancelled.size()).isEqualTo(4);
    assertThat(TestServer.json(reply.join()).get("id").asString()).isEqualTo(id);
    assertThat(engine.asked()).allMatch(ScriptedEngine.Asked::isCancelled);
  }

  @Test
  void knowsTheIdThatTheClientGave() {
    var posting = server.posting(CHAT, "{%s}".formatted(MESSAGES)).header("x-request-id", "mine");
    var replies =
        List.of(server.sendLater(posting.build()), server.sendLater(posting.copy().build()));
    var ids = Set.of(engine.asked(0).request().id(), engine.asked(1).request().id());
    var cancelled = TestServer.json(cancel("mine", ""));
    assertThat(cancelled.get("id").asString()).isEqualTo("mine");
    assertThat(cancelled.get("cancelled").valueStream().map(it -> it.get("id").asString()))
        .containsExactlyInAnyOrderElementsOf(ids);
    assertThat(replies).allMatch(it -> it.join().statusCode() == 200);
  }

  @Test
  void answersOnlyWhenTheEngineHasEndedIt() {
    // Its thread is busy with a step.
    var step = new CompletableFuture<Void>();
    engine.script(
        request -> {
          request.started(1, 0);
          step.join();
          request.text("the step's token");
        });
    var reply = ask(CHAT, "{%s}");
    var cancelled = server.sendLater(cancelling(engine.asked(0).request().id(), ""));
    org.awaitility.Awaitility.await().until(() -> engine.asked(0).isCancelled());
    assertThat(cancelled.isDone()).isFalse();
    step.complete(null);
    assertThat(cancelled.join().body()).contains("\"completion_tokens\":1");
    assertThat(reply.join().body()).contains("the step's token");
  }

  @Test
  void knowsNoOtherId() {
    var reply = ask(CHAT, "{%s}");
    var choice = engine.asked(0).started(1, 0);
    for (var id : List.of("chatcmpl-1", choice.request().id() + "x", "%20", "x".repeat(2000))) {
      var response = cancel(id, "");
      assertThat(response.statusCode()).as(id).isEqualTo(404);
      assertThat(response.body()).contains("request_not_found");
    }
    assertThat(server.get("/v1/requests/x/cancel").statusCode()).isEqualTo(405);
    assertThat(server.get("/v1/requests/x/y").statusCode()).isEqualTo(404);
    choice.text("fine").finish(FinishReason.STOP);
    assertThat(reply.join().body()).contains("fine", "\"stop\"");
  }

  @Test
  void leavesTheRequestsOfOtherKeysAlone() {
    serve(settings -> settings.withKeys(List.of("one", "two")));
    var reply =
        server.sendLater(
            server
                .posting(CHAT, "{%s}".formatted(MESSAGES))
                .header("authorization", "Bearer one")
                .header("x-request-id", "mine")
                .build());
    var choice = engine.asked(0).started(1, 0);
    for (var id : List.of(choice.request().id(), "mine")) {
      assertThat(cancel(id, "").statusCode()).isEqualTo(401);
      assertThat(cancel(id, "two").statusCode()).isEqualTo(404);
    }
    assertThat(choice.isCancelled()).isFalse();
    assertThat(cancel("mine", "one").statusCode()).isEqualTo(200);
    assertThat(reply.join().body()).contains("\"abort\"");
  }

  private void serve(UnaryOperator<GatewaySettings> change) {
    server.close();
    server = new TestServer(engine, change);
  }

  private CompletableFuture<HttpResponse<String>> ask(String path, String json) {
    return server.postLater(path, json.formatted(MESSAGES));
  }

  private HttpResponse<String> cancel(String id, String key) {
    return server.send(cancelling(id, key));
  }

  private HttpRequest cancelling(String id, String key) {
    var request =
        server.request("/v1/requests/" + id + "/cancel").POST(HttpRequest.BodyPublishers.noBody());
    return (key.isEmpty() ? request : request.header("authorization", "Bearer " + key)).build();
  }
}
