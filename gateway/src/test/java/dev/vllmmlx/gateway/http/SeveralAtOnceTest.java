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
    check(Said.inBody(first), Said.inBody(second));
    assertThat(second.get("message").has("tool_calls")).isFalse();
    for (var choice : List.of(first, second)) {
      assertThat(tokens(choice.get("logprobs").get("content")))
          .isEqualTo(choice == first ? CALLS : SAYS);
    }
  }

  @Test
  void andInAStream() {
    var chunks = TestServer.chunks(server.post(CHAT, "{'stream':true,%s}".formatted(ASKED)));
    var fold = StreamFold.of(chunks);
    check(Said.inStream(fold, 0), Said.inStream(fold, 1));
    assertThat(tokens(fold.logprobs(0, "content"))).isEqualTo(CALLS);
    assertThat(tokens(fold.logprobs(1, "content"))).isEqualTo(SAYS);
  }

  private static void check(Said calling, Said saying) {
    assertThat(calling.reasoning()).isEqualTo("Which?");
    assertThat(calling.content()).isEmpty();
    assertThat(calling.calls()).containsExactly("add {\"a\": 1}");
    assertThat(calling.end().get("finish_reason").stringValue()).isEqualTo("tool_calls");
    assertThat(calling.end().get("warnings")).hasSize(1);
    assertThat(calling.end().get("warnings").get(0).get("keyword").stringValue())
        .isEqualTo("minProperties");

    assertThat(saying.reasoning()).isEqualTo("None.");
    assertThat(saying.content()).isEqualTo("[1, 2, 1]");
    assertThat(saying.calls()).isEmpty();
    assertThat(saying.end().get("finish_reason").stringValue()).isEqualTo("stop");
    assertThat(saying.end().get("warnings")).hasSize(1);
    assertThat(saying.end().get("warnings").get(0).get("keyword").stringValue())
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

  /**
   * What one choice says.
   *
   * @param calls name and arguments of each
   * @param end has the finish reason and the warnings
   */
  private record Said(String reasoning, String content, List<String> calls, JsonNode end) {
    static Said inBody(JsonNode choice) {
      var message = choice.get("message");
      var calls =
          message.path("tool_calls").valueStream().map(call -> call.get("function")).toList();
      return new Said(
          message.get("reasoning_content").stringValue(),
          message.path("content").asString(""),
          calls.stream()
              .map(it -> it.get("name").stringValue() + " " + it.get("arguments").stringValue())
              .toList(),
          choice);
    }

    static Said inStream(StreamFold fold, int choice) {
      return new Said(
          fold.reasoning(choice),
          fold.text(choice),
          fold.calls(choice).stream().map(it -> it.name() + " " + it.arguments()).toList(),
          fold.end(choice));
    }
  }
}
