package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static dev.vllmmlx.gateway.TestServer.COMPLETIONS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Answers that do not fit a schema of which a mask cannot keep everything. */
class AnswerWarningsTest {
  private static final String SCHEMA =
      "{'type':'array','items':{'type':'integer'},'uniqueItems':true}";
  private static final String FORMAT =
      "'response_format':{'type':'json_schema','json_schema':{'name':'n','schema':" + SCHEMA + "}}";
  private static final String TOOLS =
      "'tools':[{'type':'function','function':{'name':'add','parameters':"
          + "{'type':'object','properties':{'a':"
          + SCHEMA
          + "}}}}]";

  private final ScriptedEngine engine = new ScriptedEngine();
  private final TestServer server = new TestServer(engine);

  @AfterEach
  void close() {
    server.close();
    engine.close();
  }

  private JsonNode choice(String fields) {
    var response =
        server.post(CHAT, "{'messages':[{'role':'user','content':'x'}],%s}".formatted(fields));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return TestServer.json(response).get("choices").get(0);
  }

  @Test
  void aMisfitIsToldOfBesideTheAnswer() {
    engine.says("[1, ", "2, 1]");
    var choice = choice(FORMAT);
    assertThat(choice.get("message").get("content").stringValue()).isEqualTo("[1, 2, 1]");
    assertThat(choice.get("finish_reason").stringValue()).isEqualTo("stop");
    assertThat(choice.get("warnings")).hasSize(1);
    var warning = choice.get("warnings").get(0);
    assertThat(warning.get("code").stringValue()).isEqualTo("schema_mismatch");
    assertThat(warning.get("keyword").stringValue()).isEqualTo("uniqueItems");
    assertThat(warning.get("param").stringValue()).isEqualTo("response_format.json_schema.schema");
    assertThat(warning.get("in").stringValue()).isEqualTo("content");
  }

  @Test
  void aStreamTellsWhereItEnds() {
    engine.says("[1, ", "2, 1]");
    var chunks =
        TestServer.chunks(
            server.post(
                CHAT,
                "{'stream':true,'messages':[{'role':'user','content':'x'}],%s}".formatted(FORMAT)));
    for (var chunk : chunks) {
      var choice = chunk.get("choices").get(0);
      assertThat(choice.has("warnings")).isEqualTo(!choice.get("finish_reason").isNull());
    }
    assertThat(chunks.getLast().get("choices").get(0).get("warnings")).hasSize(1);
  }

  @Test
  void completionsTellToo() {
    engine.says("[1, 1]");
    var response = server.post(COMPLETIONS, "{'prompt':'x',%s}".formatted(FORMAT));
    assertThat(TestServer.json(response).get("choices").get(0).get("warnings")).hasSize(1);
  }

  @Test
  void argumentsAreCheckedCallByCall() {
    engine.says(
        "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": [1]}}\n</tool_call>",
        "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": [1, 1]}}\n</tool_call>");
    var warnings = choice(TOOLS + "," + FORMAT).get("warnings");
    assertThat(warnings).hasSize(1);
    assertThat(warnings.get(0).get("in").stringValue())
        .isEqualTo("tool_calls[1].function.arguments");
    assertThat(warnings.get(0).get("path").stringValue()).isEqualTo("/a");
  }

  @Test
  void thereAreNoneWhereTheAnswerFitsOrTheSchemaIsStrict() {
    engine.says("[1, 2]");
    assertThat(choice(FORMAT).has("warnings")).isFalse();
    engine.says("[1, 1]");
    assertThat(choice(FORMAT.replace("'name'", "'strict':true,'name'")).has("warnings")).isFalse();
    assertThat(choice("'response_format':{'type':'json_object'}").has("warnings")).isFalse();
  }
}
