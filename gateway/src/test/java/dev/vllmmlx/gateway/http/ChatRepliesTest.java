package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.TokenLogprob;
import dev.vllmmlx.spi.TokenLogprob.Candidate;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ObjectNode;

class ChatRepliesTest {
  private final ScriptedEngine engine = new ScriptedEngine();
  private final TestServer server = new TestServer(engine);

  @AfterEach
  void close() {
    server.close();
    engine.close();
  }

  @Test
  void answersWithOpenAisBody() {
    engine.says("The capital", " is", " Paris.");
    var response = server.post(CHAT, "{'messages':[{'role':'user','content':'Capital?'}]}");
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("content-type")).contains("application/json");
    var body = (ObjectNode) TestServer.json(response);
    assertThat(body.remove("id").stringValue()).startsWith("chatcmpl-");
    assertThat(body.remove("created").longValue())
        .isBetween(Instant.now().getEpochSecond() - 20, Instant.now().getEpochSecond());
    assertThat(body)
        .isEqualTo(
            TestServer.JSON.readTree(
                """
                {"object": "chat.completion", "model": "acme/tiny-model",
                 "choices": [{"index": 0,
                   "message": {"role": "assistant", "content": "The capital is Paris.", "refusal": null},
                   "logprobs": null, "finish_reason": "stop"}],
                 "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10,
                   "prompt_tokens_details": {"cached_tokens": 2}}}
                """));
  }

  @Test
  void streamsARoleThenTextThenOneFinishThenDone() {
    engine.says("Pa", "ris", ".");
    var response =
        server.post(CHAT, "{'stream':true,'messages':[{'role':'user','content':'Capital?'}]}");
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("content-type"))
        .contains("text/event-stream; charset=utf-8");
    assertThat(response.headers().firstValue("cache-control")).contains("no-cache");
    var chunks = TestServer.chunks(response);
    assertThat(chunks)
        .allSatisfy(
            chunk -> {
              assertThat(chunk.get("id")).isEqualTo(chunks.getFirst().get("id"));
              assertThat(chunk.get("created")).isEqualTo(chunks.getFirst().get("created"));
              assertThat(chunk.get("object").stringValue()).isEqualTo("chat.completion.chunk");
              assertThat(chunk.get("model").stringValue()).isEqualTo(ScriptedEngine.MODEL);
              assertThat(chunk.has("usage")).isFalse();
            });
    assertThat(chunks.stream().map(chunk -> chunk.get("choices").toString()))
        .containsExactly(
            choice("{'role':'assistant','content':''}", "null"),
            choice("{'content':'Pa'}", "null"),
            choice("{'content':'ris'}", "null"),
            choice("{'content':'.'}", "null"),
            choice("{}", "'stop'"));
  }

  private static String choice(String delta, String finish) {
    return "[{'index':0,'delta':%s,'logprobs':null,'finish_reason':%s}]"
        .formatted(delta, finish)
        .replace('\'', '"');
  }

  @Test
  void endsAStreamWithItsUsageWhenAsked() {
    engine.says("a", "b");
    var chunks =
        TestServer.chunks(
            server.post(
                CHAT,
                "{'stream':true,'stream_options':{'include_usage':true},"
                    + "'messages':[{'role':'user','content':'x'}]}"));
    assertThat(chunks.subList(0, chunks.size() - 1))
        .hasSize(4)
        .allSatisfy(chunk -> assertThat(chunk.get("usage").isNull()).isTrue());
    assertThat(chunks.getLast().get("choices").toString()).isEqualTo("[]");
    assertThat(chunks.getLast().get("usage").toString())
        .isEqualTo(
            "{'prompt_tokens':7,'completion_tokens':2,'total_tokens':9,'prompt_tokens_details':{'cached_tokens':2}}"
                .replace('\'', '"'));
  }

  @Test
  void streamsAnEmptyAnswer() {
    engine.says();
    var chunks =
        TestServer.chunks(
            server.post(CHAT, "{'stream':true,'messages':[{'role':'user','content':'x'}]}"));
    assertThat(chunks.stream().map(chunk -> chunk.get("choices").toString()))
        .containsExactly(
            choice("{'role':'assistant','content':''}", "null"), choice("{}", "'stop'"));
  }

  @Test
  void namesTokensWithTheirProbabilities() {
    var eur = "\u20ac".getBytes(StandardCharsets.UTF_8);
    var half = Arrays.copyOf(eur, 2);
    var first = new TokenLogprob(new Candidate(5, half, -0.5f), List.of());
    var second =
        new TokenLogprob(
            new Candidate(6, Arrays.copyOfRange(eur, 2, 3), -0.25f),
            List.of(
                new Candidate(6, Arrays.copyOfRange(eur, 2, 3), -0.25f),
                new Candidate(7, new byte[] {'x'}, Float.NEGATIVE_INFINITY)));
    engine.script(
        request ->
            request
                .started(1, 0)
                .delta("", 1, List.of(first))
                .delta("\u20ac", 1, List.of(second))
                .finish(FinishReason.LENGTH));
    var body =
        TestServer.json(
            server.post(
                CHAT,
                "{'logprobs':true,'top_logprobs':2,'messages':[{'role':'user','content':'x'}]}"));
    assertThat(engine.asked(0).request().topLogprobs()).hasValue(2);
    var choice = body.get("choices").get(0);
    assertThat(choice.get("message").get("content").stringValue()).isEqualTo("\u20ac");
    assertThat(choice.get("finish_reason").stringValue()).isEqualTo("length");
    assertThat(choice.get("logprobs"))
        .isEqualTo(
            TestServer.JSON.readTree(
                """
                {"content": [
                  {"token": "\ufffd", "logprob": -0.5, "bytes": [226, 130], "top_logprobs": []},
                  {"token": "\ufffd", "logprob": -0.25, "bytes": [172], "top_logprobs": [
                    {"token": "\ufffd", "logprob": -0.25, "bytes": [172]},
                    {"token": "x", "logprob": -9999.0, "bytes": [120]}]}],
                 "refusal": null}
                """));
    var chunks =
        TestServer.chunks(
            server.post(
                CHAT,
                "{'stream':true,'logprobs':true,'messages':[{'role':'user','content':'x'}]}"));
    assertThat(
            chunks.stream()
                .flatMap(chunk -> chunk.at("/choices/0/logprobs/content").valueStream())
                .map(token -> token.get("logprob").asDouble()))
        .containsExactly(-0.5, -0.25);
  }

  @Test
  void answersSeveralChoicesWhoseEventsInterleave() {
    var reply =
        server.postLater(
            CHAT,
            "{'stream':true,'n':3,'seed':40,'stream_options':{'include_usage':true},"
                + "'messages':[{'role':'user','content':'x'}]}");
    var choices = List.of(engine.asked(0), engine.asked(1), engine.asked(2));
    choices.forEach(choice -> choice.started(9, 4));
    for (var round = 0; round < 3; round++) {
      for (var i = 2; i >= 0; i--) {
        choices.get(i).text("c" + i + "r" + round + " ");
      }
    }
    choices.get(1).finish(FinishReason.STOP);
    choices.get(2).text("more").finish(FinishReason.LENGTH);
    choices.getFirst().finish(FinishReason.STOP);
    var chunks = TestServer.chunks(reply.join());
    var fold = StreamFold.of(chunks);
    assertThat(fold.text(0)).isEqualTo("c0r0 c0r1 c0r2 ");
    assertThat(fold.text(1)).isEqualTo("c1r0 c1r1 c1r2 ");
    assertThat(fold.text(2)).isEqualTo("c2r0 c2r1 c2r2 more");
    assertThat(fold.finishReasons()).containsExactly("stop", "stop", "length");
    assertThat(chunks.getLast().at("/usage/prompt_tokens").intValue()).isEqualTo(9);
    assertThat(chunks.getLast().at("/usage/prompt_tokens_details/cached_tokens").intValue())
        .isEqualTo(4);
    assertThat(chunks.getLast().at("/usage/completion_tokens").intValue()).isEqualTo(10);

    assertThat(choices.stream().map(it -> it.request().id()).distinct()).hasSize(1);
    assertThat(choices.stream().map(it -> it.request().choice())).containsExactly(0, 1, 2);
    assertThat(choices.stream().map(it -> it.request().sampling().seed().getAsLong()))
        .containsExactly(40L, 41L, 42L);
  }

  @Test
  void givesNoTwoCallsTheSameId() {
    engine.says("x");
    for (var i = 0; i < 2; i++) {
      server.send(
          server
              .posting(CHAT, "{'messages':[{'role':'user','content':'x'}]}")
              .header("x-request-id", "mine")
              .build());
    }
    assertThat(engine.asked(0).request().id())
        .contains("mine")
        .isNotEqualTo(engine.asked(1).request().id());
  }
}
