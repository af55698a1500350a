package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.TokenLogprob;
import dev.vllmmlx.spi.TokenLogprob.Candidate;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Tools, a response format, thinking, two choices and log probabilities in one request. */
class SeveralAtOnceTest {
  private static final String CALLS =
      "<think>\nWhich?\n</think>\n\n<tool_call>\n"
          + "{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n</tool_call>";
  private static final String SAYS = "<think>\nNone.\n</think>\n\n[1, 2, 1]";
  private static final String ASKED =
      "'messages':[{'role':'user','content':'x'}],'n':2,'logprobs':true,'top_logprobs':1,"
          + "'enable_thinking':true,'thinking_token_budget':50,"
          + "'tools':[{'type':'function','function':{'name':'add','parameters':"
          + "{'type':'object','properties':{'a':{'type':'integer'}},'minProperties':2}}}],"
          + "'response_format':{'type':'json_schema','json_schema':{'name':'n','schema':"
          + "{'type':'array','items':{'type':'integer'},'uniqueItems':true}}}";

  private final ScriptedEngine engine = new ScriptedEngine();
  private final TestServer server = new TestServer(engine);

  @BeforeEach
  void oneChoiceCallsAndTheOtherAnswers() {
    engine.script(
        asked -> {
          asked.started(7, 0);
          for (var piece :
              (asked.request().choice() == 0 ? CALLS : SAYS).split("(?s)(?<=\\G.{4})", -1)) {
            if (!piece.isEmpty()) {
              asked.delta(piece, 1, List.of(scored(piece)));
            }
          }
          asked.finish(FinishReason.STOP);
        });
  }

  @AfterEach
  void close() {
    server.close();
    engine.close();
  }

  private static TokenLogprob scored(String text) {
    var token = new Candidate(1, text.getBytes(StandardCharsets.UTF_8), -0.5f);
    return new TokenLogprob(token, List.of(token));
  }

  @Test
  void theEngineIsAskedForAllOfIt() {
    server.post(CHAT, "{%s}".formatted(ASKED));
    assertThat(engine.asked()).hasSize(2);
    for (var asked : engine.asked()) {
      var request = asked.request();
      assertThat(request.topLogprobs()).hasValue(1);
      assertThat(request.thinkingTokens()).hasValue(50);
      var options = ((Constraint.Either) request.constraint()).options();
      assertThat(options.getFirst())
          .isEqualTo(new Constraint.ToolCalls(true, Optional.empty(), true));
      assertThat(options.getLast()).isInstanceOf(Constraint.JsonSchema.class);
    }
  }

  @Test
  void eachChoiceIsWhatItIsInOneBody() {
    var body = TestServer.json(server.post(CHAT, "{%s}".formatted(ASKED)));
    var first = body.get("choices").get(0);
    var second = body.get("choices").get(1);
    check(first.get("message"), first, second.get("message"), second);
    for (var choice : List.of(first, second)) {
      assertThat(tokens(choice.get("logprobs").get("content")))
          .isEqualTo(choice == first ? CALLS : SAYS);
    }
  }

  @Test
  void andInAStream() {
    var chunks = TestServer.chunks(server.post(CHAT, "{'stream':true,%s}".formatted(ASKED)));
    var messages = List.of(new StreamedMessage(), new StreamedMessage());
    for (var chunk : chunks) {
      for (var choice : chunk.get("choices")) {
        messages.get(choice.get("index").intValue()).add(choice);
      }
    }
    var first = messages.getFirst();
    var second = messages.getLast();
    check(first.message(), first.last, second.message(), second.last);
    assertThat(tokens(first.logprobs)).isEqualTo(CALLS);
    assertThat(tokens(second.logprobs)).isEqualTo(SAYS);
  }

  private static void check(
      JsonNode calling, JsonNode callsEnd, JsonNode saying, JsonNode sayingEnd) {
    assertThat(calling.get("reasoning_content").stringValue()).isEqualTo("Which?");
    assertThat(calling.path("content").asString("")).isEmpty();
    assertThat(calling.get("tool_calls")).hasSize(1);
    var function = calling.get("tool_calls").get(0).get("function");
    assertThat(function.get("name").stringValue()).isEqualTo("add");
    assertThat(function.get("arguments").stringValue()).isEqualTo("{\"a\": 1}");
    assertThat(callsEnd.get("finish_reason").stringValue()).isEqualTo("tool_calls");
    assertThat(callsEnd.get("warnings")).hasSize(1);
    assertThat(callsEnd.get("warnings").get(0).get("keyword").stringValue())
        .isEqualTo("minProperties");

    assertThat(saying.get("reasoning_content").stringValue()).isEqualTo("None.");
    assertThat(saying.get("content").stringValue()).isEqualTo("[1, 2, 1]");
    assertThat(saying.has("tool_calls")).isFalse();
    assertThat(sayingEnd.get("finish_reason").stringValue()).isEqualTo("stop");
    assertThat(sayingEnd.get("warnings")).hasSize(1);
    assertThat(sayingEnd.get("warnings").get(0).get("keyword").stringValue())
        .isEqualTo("uniqueItems");
  }

  private static String tokens(Iterable<JsonNode> logprobs) {
    var text = new StringBuilder();
    logprobs.forEach(
        entry -> {
          text.append(entry.get("token").stringValue());
          assertThat(entry.get("top_logprobs")).hasSize(1);
        });
    return text.toString();
  }

  /** What the chunks of one choice add up to. */
  private static final class StreamedMessage {
    private final StringBuilder content = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private final StringBuilder arguments = new StringBuilder();
    private final List<JsonNode> logprobs = new ArrayList<>();
    private String function;
    private JsonNode last;

    void add(JsonNode choice) {
      assertThat(last == null || last.get("finish_reason").isNull()).isTrue();
      last = choice;
      var delta = choice.get("delta");
      content.append(delta.path("content").asString(""));
      reasoning.append(delta.path("reasoning_content").asString(""));
      for (var call : delta.path("tool_calls")) {
        if (call.has("id")) {
          function = call.get("function").get("name").stringValue();
        }
        arguments.append(call.get("function").path("arguments").asString(""));
      }
      choice.path("logprobs").path("content").forEach(logprobs::add);
    }

    JsonNode message() {
      var message = TestServer.JSON.createObjectNode();
      message.put("content", content.toString()).put("reasoning_content", reasoning.toString());
      if (function != null) {
        message
            .putArray("tool_calls")
            .addObject()
            .putObject("function")
            .put("name", function)
            .put("arguments", arguments.toString());
      }
      return message;
    }
  }
}
