package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static dev.vllmmlx.gateway.TestServer.COMPLETIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.FinishReason;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FailuresTest {
  private static final String MESSAGES = "'messages':[{'role':'user','content':'x'}]";

  private final ScriptedEngine engine = new ScriptedEngine();
  private final TestServer server = new TestServer(engine);

  @AfterEach
  void close() {
    server.close();
    engine.close();
  }

  static Stream<Arguments> failures() {
    return Stream.of(
        Arguments.of(
            new EngineException.InvalidRequest("messages", "the template says no"),
            400,
            "{'message':'the template says no','type':'invalid_request_error','param':'messages','code':'invalid_value'}"),
        Arguments.of(
            new EngineException.InvalidRequest(null, "no"),
            400,
            "{'message':'no','type':'invalid_request_error','param':null,'code':'invalid_value'}"),
        Arguments.of(
            new EngineException.ContextExceeded(5000, 4096),
            400,
            "{'message':'the prompt is 5000 tokens long, and the model\\u0027s context of 4096 tokens must hold it and the answer',"
                + "'type':'invalid_request_error','param':'messages','code':'context_length_exceeded'}"),
        Arguments.of(
            new EngineException.Overloaded("the queue is full", Duration.ofSeconds(7)),
            429,
            "{'message':'the queue is full','type':'rate_limit_error','param':null,'code':'overloaded'}"),
        Arguments.of(
            new EngineException.Unavailable("closing"),
            503,
            "{'message':'closing','type':'service_unavailable_error','param':null,'code':'engine_unavailable'}"),
        Arguments.of(
            new EngineException.Internal("secret detail", new IllegalStateException("secret")),
            500,
            "{'message':'the engine failed at this request; the server\\u0027s log says more',"
                + "'type':'server_error','param':null,'code':'internal_error'}"));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void isAStatusBeforeTheFirstEvent(EngineException failure, int status, String error) {
    engine.script(request -> request.fail(failure));
    for (var stream : new boolean[] {false, true}) {
      var response = server.post(CHAT, "{'stream':%s,%s}".formatted(stream, MESSAGES));
      assertThat(response.statusCode()).isEqualTo(status);
      assertThat(response.headers().firstValue("content-type")).contains("application/json");
      assertThat(TestServer.json(response))
          .isEqualTo(TestServer.JSON.readTree(("{'error':" + error + "}").replace('\'', '"')));
      assertThat(response.headers().firstValue("retry-after"))
          .isEqualTo(
              switch (status) {
                case 429 -> java.util.Optional.of("7");
                case 503 -> java.util.Optional.of("5");
                default -> java.util.Optional.empty();
              });
    }
  }

  @ParameterizedTest
  @MethodSource("failures")
  void isAnEventAfterTheFirst(EngineException failure, int status, String error) {
    engine.script(request -> request.started(1, 0).text("half").fail(failure));
    var response = server.post(CHAT, "{'stream':true,%s}".formatted(MESSAGES));
    assertThat(response.statusCode()).isEqualTo(200);
    var events = TestServer.events(response.body());
    assertThat(events).hasSize(3);
    assertThat(events.get(1)).contains("half");
    assertThat(TestServer.JSON.readTree(events.getLast()))
        .isEqualTo(TestServer.JSON.readTree(("{'error':" + error + "}").replace('\'', '"')));
    assertThat(response.body()).doesNotContain("\"finish_reason\":\"");

    var whole = server.post(CHAT, "{%s}".formatted(MESSAGES));
    assertThat(whole.statusCode()).isEqualTo(status);
  }

  @Test
  void namesThePromptOfACompletion() {
    engine.script(request -> request.fail(new EngineException.ContextExceeded(5000, 4096)));
    var response = server.post(COMPLETIONS, "{'prompt':'x'}");
    assertThat(TestServer.json(response).at("/error/param").stringValue()).isEqualTo("prompt");
  }

  @Test
  void oneChoicesFailureCancelsTheOthers() {
    engine.script(
        request -> {
          if (request.request().choice() == 1) {
            request.fail(new EngineException.Overloaded("full", Duration.ofSeconds(1)));
          }
        });
    var response = server.post(CHAT, "{'n':3,%s}".formatted(MESSAGES));
    assertThat(response.statusCode()).isEqualTo(429);
    await().until(() -> engine.asked(0).isCancelled() && engine.asked(2).isCancelled());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void isTimeUpWhenTheEngineSaysSo(boolean stream) {
    engine.script(request -> request.started(1, 0).text("a").finish(FinishReason.CANCELLED));
    var response = server.post(CHAT, "{'stream':%s,'timeout':0.5,%s}".formatted(stream, MESSAGES));
    assertThat(engine.asked(0).request().deadline()).isPresent();
    assertThat(response.body()).contains("request_timeout");
    assertThat(response.statusCode()).isEqualTo(stream ? 200 : 504);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anEngineThatThrowsIsAnAnswerToo(boolean stream) {
    var broken =
        new BrokenEngine(engine) {
          @Override
          public dev.vllmmlx.spi.Generation generate(
              dev.vllmmlx.spi.GenerationRequest request, dev.vllmmlx.spi.GenerationSink sink) {
            throw new IllegalStateException("secret");
          }
        };
    try (var other = new TestServer(broken)) {
      var response = other.post(CHAT, "{'stream':%s,%s}".formatted(stream, MESSAGES));
      assertThat(response.statusCode()).isEqualTo(500);
      assertThat(response.body()).contains("internal_error").doesNotContain("secret");
    }
  }

  @Test
  void anEventThatCannotBeWrittenIsAnAnswerToo() {
    // Log probabilities that no JSON has.
    engine.script(
        request ->
            request
                .started(1, 0)
                .delta(
                    "a",
                    1,
                    java.util.List.of(
                        new dev.vllmmlx.spi.TokenLogprob(
                            new dev.vllmmlx.spi.TokenLogprob.Candidate(1, null, 0f),
                            java.util.List.of())))
                .finish(FinishReason.STOP));
    var response = server.post(CHAT, "{'logprobs':true,%s}".formatted(MESSAGES));
    assertThat(response.statusCode()).isEqualTo(500);
    assertThat(TestServer.json(response).at("/error/code").stringValue())
        .isEqualTo("internal_error");
  }

  @Test
  void eventsMayComeFromSeveralThreads() throws Exception {
    var reply = server.postLater(CHAT, "{'stream':true,%s}".formatted(MESSAGES));
    var choice = engine.asked(0).started(1, 0);
    var expected = new StringBuilder();
    for (var i = 0; i < 200; i++) {
      var text = i + ",";
      expected.append(text);
      var thread = Thread.startVirtualThread(() -> choice.text(text));
      thread.join();
    }
    choice.finish(FinishReason.STOP);
    assertThat(StreamFold.of(TestServer.chunks(reply.join())).text(0))
        .isEqualTo(expected.toString());
  }
}
