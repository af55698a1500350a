package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import java.time.Instant;
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
}
