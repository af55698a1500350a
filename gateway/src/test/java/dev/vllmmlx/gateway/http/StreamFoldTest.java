package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static dev.vllmmlx.gateway.TestServer.COMPLETIONS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.TokenLogprob;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The body is the fold of the stream, whatever the engine says and however it is cut. */
class StreamFoldTest {
  private static final List<String> TEXTS =
      List.of(
          "",
          "a",
          " word",
          "\n\n",
          "\u00e9\u4e2d",
          "\ud83d\ude00",
          "\"quote\\",
          "data: [DONE]\n\n");

  private record Step(String text, int tokens) {}

  private static TestServer server(ScriptedEngine engine, int interval) {
    return new TestServer(
        engine, settings -> settings.with(new GatewaySettings.Limits(100, interval, 100_000)));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8, 1000})
  void theBodyIsTheFoldOfTheStream(int interval) {
    var random = new Random(interval);
    var engine = new ScriptedEngine();
    try (engine;
        var server = server(engine, interval)) {
      for (var round = 0; round < 30; round++) {
        var steps = List.of(steps(random), steps(random));
        var logprobs = random.nextBoolean();
        var end = random.nextBoolean() ? FinishReason.STOP : FinishReason.LENGTH;
        engine.script(
            request -> {
              request.started(5, 3);
              for (var step : steps.get(request.request().choice())) {
                request.delta(step.text(), step.tokens(), logprobs(step, logprobs));
              }
              request.finish(end);
            });
        check(server, CHAT, "'messages':[{'role':'user','content':'x'}],'logprobs':" + logprobs);
        check(server, COMPLETIONS, "'prompt':'x'" + (logprobs ? ",'logprobs':0" : ""));
      }
    }
  }

  private static void check(TestServer server, String path, String fields) {
    var body = TestServer.json(server.post(path, "{'n':2,%s}".formatted(fields)));
    var chunks =
        TestServer.chunks(
            server.post(
                path,
                "{'n':2,'stream':true,'stream_options':{'include_usage':true},%s}"
                    .formatted(fields)));
    var fold = StreamFold.of(chunks);
    assertThat(chunks.getLast().get("usage")).isEqualTo(body.get("usage"));
    assertThat(fold.choices()).isEqualTo(2);
    for (var i = 0; i < 2; i++) {
      var choice = body.get("choices").get(i);
      var text = choice.has("text") ? choice.get("text") : choice.get("message").get("content");
      assertThat(fold.text(i)).isEqualTo(text.stringValue());
      assertThat(fold.finishReasons().get(i)).isEqualTo(choice.get("finish_reason").stringValue());
      for (var list : path.equals(CHAT) ? List.of("content") : List.of("tokens", "text_offset")) {
        assertThat(fold.logprobs(i, list))
            .isEqualTo(choice.get("logprobs").path(list).valueStream().toList());
      }
    }
  }

  private static List<Step> steps(Random random) {
    var steps = new ArrayList<Step>();
    for (var i = random.nextInt(20); i > 0; i--) {
      steps.add(new Step(TEXTS.get(random.nextInt(TEXTS.size())), random.nextInt(4)));
    }
    return steps;
  }

  private static List<TokenLogprob> logprobs(Step step, boolean wanted) {
    var all = new ArrayList<TokenLogprob>();
    for (var i = 0; wanted && i < step.tokens(); i++) {
      var bytes = (step.text() + i).getBytes(StandardCharsets.UTF_8);
      all.add(new TokenLogprob(new TokenLogprob.Candidate(i, bytes, -0.5f * i), List.of()));
    }
    return all;
  }

  @Test
  void anIntervalMergesTokensAndSendsTheRestAtTheEnd() {
    var engine = new ScriptedEngine().says("1", "2", "3", "4", "5", "6", "7");
    try (engine;
        var server = server(engine, 3)) {
      assertThat(texts(server)).containsExactly("", "123", "456", "7", null);
      // Text that was held back goes out as soon as it is there.
      engine.script(
          request ->
              request
                  .started(1, 0)
                  .delta("", 1, List.of())
                  .delta("", 1, List.of())
                  .delta("", 1, List.of())
                  .delta("held", 1, List.of())
                  .delta("next", 1, List.of())
                  .finish(FinishReason.STOP));
      assertThat(texts(server)).containsExactly("", "held", "next", null);
    }
  }

  private static List<String> texts(TestServer server) {
    var chunks =
        TestServer.chunks(
            server.post(CHAT, "{'stream':true,'messages':[{'role':'user','content':'x'}]}"));
    var texts = new ArrayList<String>();
    for (JsonNode chunk : chunks) {
      texts.add(chunk.at("/choices/0/delta/content").stringValue(null));
    }
    return texts;
  }

  @Test
  void twoHundredCallsAtOnceNeverMix() {
    var engine = new ScriptedEngine();
    engine.script(
        request ->
            Thread.startVirtualThread(
                () -> {
                  var seed = request.request().sampling().seed().getAsLong();
                  request.started((int) seed + 1, 0);
                  for (var i = 0; i < 20; i++) {
                    request.text(seed + ":" + i + " ");
                    Thread.yield();
                  }
                  request.finish(FinishReason.STOP);
                }));
    try (engine;
        var server = server(engine, 1)) {
      var replies = new ArrayList<CompletableFuture<String>>();
      for (var call = 0; call < 200; call++) {
        var stream = call % 2 == 0;
        replies.add(
            server
                .postLater(
                    COMPLETIONS, "{'prompt':'x','seed':%d,'stream':%s}".formatted(call, stream))
                .thenApply(
                    response ->
                        stream
                            ? StreamFold.of(TestServer.chunks(response)).text(0)
                            : TestServer.json(response).at("/choices/0/text").stringValue()));
      }
      for (var call = 0; call < 200; call++) {
        var expected = new StringBuilder();
        for (var i = 0; i < 20; i++) {
          expected.append(call).append(':').append(i).append(' ');
        }
        assertThat(replies.get(call).join()).isEqualTo(expected.toString());
      }
    }
  }
}
