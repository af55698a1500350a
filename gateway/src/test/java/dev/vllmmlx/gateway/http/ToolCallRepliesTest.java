package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.spi.FinishReason;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class ToolCallRepliesTest {
  private static final String CALLS =
      "<think>\nWhich?\n</think>\n\nI look.\n<tool_call>\n"
          + "{\"name\": \"add\", \"arguments\": {\"a\": \"x  \\\"}\"}}\n</tool_call>\n"
          + "<tool_call>\n{\"name\": \"sub\", \"arguments\": {}}\n</tool_call>";
  private static final String ASKED =
      "'messages':[{'role':'user','content':'x'}],'tools':["
          + "{'type':'function','function':{'name':'add'}},"
          + "{'type':'function','function':{'name':'sub'}}]";

  private final ScriptedEngine engine = new ScriptedEngine();
  private final TestServer server = new TestServer(engine);

  @AfterEach
  void close() {
    server.close();
    engine.close();
  }

  private JsonNode choice(String body) {
    return TestServer.json(server.post(CHAT, body)).get("choices").get(0);
  }

  @Test
  void callsAreTakenOutOfTheText() {
    engine.says(CALLS.split("(?<=\\G.{3})", -1));
    var choice = choice("{%s}".formatted(ASKED));
    assertThat(choice.get("finish_reason").stringValue()).isEqualTo("tool_calls");
    var message = choice.get("message");
    assertThat(message.get("content").stringValue()).isEqualTo("I look.\n");
    assertThat(message.get("reasoning_content").stringValue()).isEqualTo("Which?");
    assertThat(message.get("reasoning").stringValue()).isEqualTo("Which?");
    var calls = message.get("tool_calls");
    assertThat(calls).hasSize(2);
    assertThat(calls.get(0).get("type").stringValue()).isEqualTo("function");
    assertThat(calls.get(0).get("id").stringValue()).startsWith("call_");
    assertThat(calls.get(0).get("id")).isNotEqualTo(calls.get(1).get("id"));
    assertThat(calls.get(0).get("function").get("name").stringValue()).isEqualTo("add");
    assertThat(calls.get(0).get("function").get("arguments").stringValue())
        .isEqualTo("{\"a\": \"x  \\\"}\"}");
    assertThat(calls.get(1).get("function").get("arguments").stringValue()).isEqualTo("{}");
  }

  @Test
  void theStreamAddsUpToTheBody() {
    engine.says(CALLS.split(""));
    var chunks = TestServer.chunks(server.post(CHAT, "{'stream':true,%s}".formatted(ASKED)));
    var fold = StreamFold.of(chunks);
    assertThat(fold.text(0)).isEqualTo("I look.\n");
    assertThat(fold.reasoning(0)).isEqualTo("Which?");
    assertThat(fold.calls(0)).extracting(StreamFold.Call::name).containsExactly("add", "sub");
    assertThat(fold.calls(0))
        .extracting(call -> call.arguments().toString())
        .containsExactly("{\"a\": \"x  \\\"}\"}", "{}");
    var pieces =
        chunks.stream().mapToInt(chunk -> chunk.at("/choices/0/delta/tool_calls").size()).sum();
    assertThat(pieces).as("arguments come as they are written").isGreaterThan(10);
    assertThat(chunks.getLast().get("choices").get(0).get("finish_reason").stringValue())
        .isEqualTo("tool_calls");
  }

  @Test
  void textIsNoCallWhereNoToolsWereDeclared() {
    var text = "<tool_call>\n{\"name\": \"add\", \"arguments\": {}}\n</tool_call>";
    engine.says(text);
    var choice = choice("{'messages':[{'role':'user','content':'x'}]}");
    assertThat(choice.get("message").get("content").stringValue()).isEqualTo(text);
    assertThat(choice.get("finish_reason").stringValue()).isEqualTo("stop");
  }

  @Test
  void aCallThatWasCutIsNoCall() {
    engine.script(
        asked -> {
          asked.started(3, 0);
          asked.text("<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": ");
          asked.finish(FinishReason.LENGTH);
        });
    var choice = choice("{%s}".formatted(ASKED));
    assertThat(choice.get("finish_reason").stringValue()).isEqualTo("length");
    assertThat(
            choice
                .get("message")
                .get("tool_calls")
                .get(0)
                .get("function")
                .get("arguments")
                .stringValue())
        .isEqualTo("{\"a\": ");
  }
}
