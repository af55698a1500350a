package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.COMPLETIONS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.TokenLogprob;
import dev.vllmmlx.spi.TokenLogprob.Candidate;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ObjectNode;

class CompletionRepliesTest {
  private final ScriptedEngine engine = new ScriptedEngine();
  private final TestServer server = new TestServer(engine);

  @AfterEach
  void close() {
    server.close();
    engine.close();
  }

  @Test
  void answersWithOpenAisBody() {
    engine.says(" upon", " a", " time");
    var body =
        (ObjectNode) TestServer.json(server.post(COMPLETIONS, "{'prompt':'Once','max_tokens':3}"));
    assertThat(body.remove("id").stringValue()).startsWith("cmpl-");
    assertThat(body.remove("created").isIntegralNumber()).isTrue();
    assertThat(body)
        .isEqualTo(
            TestServer.JSON.readTree(
                """
                {"object": "text_completion", "model": "acme/tiny-model",
                 "choices": [{"index": 0, "text": " upon a time", "logprobs": null,
                   "finish_reason": "stop"}],
                 "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10,
                   "prompt_tokens_details": {"cached_tokens": 2}}}
                """));
    var request = engine.asked(0).request();
    assertThat(request.prompt()).isEqualTo(new Prompt.Text("Once", true));
    assertThat(request.stop().maxTokens()).isEqualTo(3);
  }

  @Test
  void streamsTextsThenOneFinishThenUsageThenDone() {
    engine.says("a", "b");
    var chunks =
        TestServer.chunks(
            server.post(
                COMPLETIONS,
                "{'prompt':'x','stream':true,'stream_options':{'include_usage':true}}"));
    assertThat(chunks)
        .allSatisfy(
            chunk -> {
              assertThat(chunk.get("object").stringValue()).isEqualTo("text_completion");
              assertThat(chunk.has("usage")).isTrue();
            });
    assertThat(chunks.stream().map(chunk -> chunk.get("choices").toString().replace('"', '\'')))
        .containsExactly(
            "[{'index':0,'text':'a','logprobs':null,'finish_reason':null}]",
            "[{'index':0,'text':'b','logprobs':null,'finish_reason':null}]",
            "[{'index':0,'text':'','logprobs':null,'finish_reason':'stop'}]",
            "[]");
    assertThat(chunks.getLast().at("/usage/total_tokens").intValue()).isEqualTo(9);
  }

  @Test
  void answersSeveralPromptsSeveralTimesEach() {
    engine.script(
        request -> {
          var prompt = ((Prompt.Text) request.request().prompt()).text();
          request
              .started(prompt.length(), 1)
              .text(prompt + request.request().choice())
              .finish(FinishReason.STOP);
        });
    var body =
        TestServer.json(
            server.post(COMPLETIONS, "{'prompt':['aa','bbbb'],'n':2,'seed':5,'best_of':2}"));
    assertThat(body.get("choices").valueStream().map(it -> it.get("text").stringValue()))
        .containsExactly("aa0", "aa1", "bbbb0", "bbbb1");
    assertThat(body.get("choices").valueStream().map(it -> it.get("index").intValue()))
        .containsExactly(0, 1, 2, 3);
    // Each prompt counts once.
    assertThat(body.at("/usage/prompt_tokens").intValue()).isEqualTo(6);
    assertThat(body.at("/usage/prompt_tokens_details/cached_tokens").intValue()).isEqualTo(2);
    assertThat(body.at("/usage/completion_tokens").intValue()).isEqualTo(4);
    var asked = engine.asked().stream().map(ScriptedEngine.Asked::request).toList();
    assertThat(asked.get(0).id()).isEqualTo(asked.get(1).id()).isNotEqualTo(asked.get(2).id());
    // A prompt in a list is answered as it would be alone.
    assertThat(asked.stream().map(it -> it.sampling().seed().getAsLong()))
        .containsExactly(5L, 6L, 5L, 6L);
  }

  @Test
  void repeatsThePromptWhenAsked() {
    engine.says("!");
    var whole = "{'prompt':['Hi',[1,2]],'echo':true}";
    var body = TestServer.json(server.post(COMPLETIONS, whole));
    assertThat(body.get("choices").valueStream().map(it -> it.get("text").stringValue()))
        .containsExactly("Hi!", "<1><2>!");
    assertThat(((Prompt.Tokens) engine.asked(1).request().prompt()).ids()).containsExactly(1, 2);
    var fold =
        StreamFold.of(
            TestServer.chunks(server.post(COMPLETIONS, whole.replace("{'p", "{'stream':true,'p"))));
    assertThat(fold.text(0)).isEqualTo("Hi!");
    assertThat(fold.text(1)).isEqualTo("<1><2>!");
  }

  @Test
  void namesTokensInTheOldShape() {
    engine.script(
        request ->
            request
                .started(1, 0)
                .delta("Hi", 1, List.of(token("Hi", -0.5f, "Ho")))
                .delta(" you", 1, List.of(token(" you", -0.25f, " me")))
                .finish(FinishReason.LENGTH));
    var expected =
        TestServer.JSON.readTree(
            """
            {"tokens": ["Hi", " you"], "token_logprobs": [-0.5, -0.25],
             "top_logprobs": [{"Hi": -0.5, "Ho": -2.0}, {" you": -0.25, " me": -2.0}],
             "text_offset": [0, 2]}
            """);
    var body = TestServer.json(server.post(COMPLETIONS, "{'prompt':'x','logprobs':2}"));
    assertThat(body.at("/choices/0/logprobs")).isEqualTo(expected);
    assertThat(engine.asked(0).request().topLogprobs()).hasValue(2);
    var fold =
        StreamFold.of(
            TestServer.chunks(
                server.post(COMPLETIONS, "{'prompt':'x','logprobs':2,'stream':true}")));
    for (var list : List.of("tokens", "token_logprobs", "top_logprobs", "text_offset")) {
      assertThat(fold.logprobs(0, list)).isEqualTo(expected.get(list).valueStream().toList());
    }
  }

  private static TokenLogprob token(String text, float logprob, String other) {
    var chosen = new Candidate(1, text.getBytes(StandardCharsets.UTF_8), logprob);
    return new TokenLogprob(
        chosen, List.of(chosen, new Candidate(2, other.getBytes(StandardCharsets.UTF_8), -2f)));
  }
}
