package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static dev.vllmmlx.gateway.TestServer.COMPLETIONS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Constraint.JsonWhitespace;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Prompt;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerConstraintsTest {
  private static final String TOOLS =
      "'tools':[{'type':'function','function':{'name':'add','strict':true,'parameters':"
          + "{'type':'object','properties':{'a':{'type':'integer'}}}}},"
          + "{'type':'function','function':{'name':'sub','description':'Subtracts.'}}]";

  private final ScriptedEngine engine = new ScriptedEngine().says("{}");
  private final TestServer server = new TestServer(engine);

  @AfterEach
  void close() {
    server.close();
    engine.close();
  }

  private GenerationRequest chat(String fields) {
    var response =
        server.post(CHAT, "{'messages':[{'role':'user','content':'x'}],%s}".formatted(fields));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(response.headers().firstValue("x-ignored-fields")).isEmpty();
    return engine.asked().getLast().request();
  }

  private GenerationRequest completion(String fields) {
    var response = server.post(COMPLETIONS, "{'prompt':'x',%s}".formatted(fields));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return engine.asked().getLast().request();
  }

  private void refused(String fields, String field, String says) {
    var response =
        server.post(CHAT, "{'messages':[{'role':'user','content':'x'}],%s}".formatted(fields));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
    var error = TestServer.json(response).get("error");
    assertThat(error.get("param").stringValue()).isEqualTo(field);
    assertThat(error.get("message").stringValue()).contains(says);
  }

  private static Constraint schema(boolean strict) {
    return new Constraint.JsonSchema("{\"type\":\"object\"}", strict, JsonWhitespace.BOUNDED);
  }

  @Test
  void responseFormatIsAConstraint() {
    assertThat(chat("'response_format':{'type':'text'}").constraint())
        .isEqualTo(new Constraint.None());
    assertThat(chat("'response_format':{'type':'json_object'}").constraint())
        .isEqualTo(new Constraint.JsonObject());
    assertThat(
            chat("'response_format':{'type':'json_schema','json_schema':{'name':'n','description':"
                    + "'d','strict':true,'schema':{'type':'object'}}}")
                .constraint())
        .isEqualTo(schema(true));
    assertThat(
            chat("'response_format':{'type':'json_schema','json_schema':"
                    + "{'name':'n','schema':{'type':'object'}}}")
                .constraint())
        .isEqualTo(schema(false));
    refused("'response_format':{'type':'xml'}", "response_format.type", "json_schema");
    refused(
        "'response_format':{'type':'json_schema','json_schema':{'schema':{}}}",
        "response_format.json_schema.name",
        "required");
  }

  @Test
  void theNamesOfVllmAndLlamaCppAreKnownInBothApis() {
    assertThat(completion("'guided_json':'{\\\"type\\\":\\\"object\\\"}'").constraint())
        .isEqualTo(schema(true));
    assertThat(completion("'json_schema':{'type':'object'}").constraint()).isEqualTo(schema(true));
    assertThat(
            chat("'response_format':{'type':'json_object','schema':{'type':'object'}}")
                .constraint())
        .isEqualTo(schema(true));
    assertThat(chat("'guided_regex':'a+'").constraint()).isEqualTo(new Constraint.Regex("a+"));
    assertThat(chat("'guided_choice':['a','b']").constraint())
        .isEqualTo(new Constraint.Choice(List.of("a", "b")));
    assertThat(chat("'guided_grammar':'root ::= [a]'").constraint())
        .isEqualTo(new Constraint.Grammar("root ::= [a]"));
    assertThat(completion("'grammar':'start: /a/'").constraint())
        .isEqualTo(new Constraint.Grammar("start: /a/"));
    assertThat(chat("'structured_outputs':{'regex':'a'}").constraint())
        .isEqualTo(new Constraint.Regex("a"));
    assertThat(
            chat("'structured_outputs':{'json':{'type':'object'},'disable_any_whitespace':true}")
                .constraint())
        .isEqualTo(
            new Constraint.JsonSchema("{\"type\":\"object\"}", true, JsonWhitespace.COMPACT));
  }

  @Test
  void onlyOneFieldMaySayWhatAnAnswerMustBe() {
    refused("'guided_regex':'a','grammar':'root ::= [a]'", "grammar", "guided_regex");
    refused("'guided_regex':'a','ignore_eos':true", "ignore_eos", "go on after");
  }

  @Test
  void theFieldThatAskedIsNamedWhenTheEngineCannotKeepIt() {
    engine.script(
        asked -> asked.fail(new EngineException.InvalidRequest("constraint", "cannot be kept")));
    refused("'guided_regex':'('", "guided_regex", "cannot be kept");
    refused(TOOLS, "tools", "cannot be kept");
    refused(TOOLS + ",'guided_regex':'('", "guided_regex", "cannot be kept");
    var ofOneTool = "tools[1].function.parameters";
    engine.script(
        asked -> asked.fail(new EngineException.InvalidRequest(ofOneTool, "cannot be kept")));
    refused(TOOLS + ",'guided_regex':'a'", ofOneTool, "cannot be kept");
  }

  @Test
  void toolsGoIntoThePromptAndAllowCalls() {
    var request = chat(TOOLS);
    assertThat(request.constraint())
        .isEqualTo(new Constraint.ToolCalls(false, Optional.empty(), true));
    var tools = ((Prompt.Chat) request.prompt()).tools();
    assertThat(tools).extracting(tool -> tool.name()).containsExactly("add", "sub");
    assertThat(tools.getFirst().strict()).isTrue();
    assertThat(tools.getFirst().parameters().orElseThrow()).containsEntry("type", "object");
    assertThat(tools.getLast().description()).contains("Subtracts.");
  }

  @Test
  void toolChoiceSaysWhatMayBeCalled() {
    assertThat(chat(TOOLS + ",'tool_choice':'required','parallel_tool_calls':false").constraint())
        .isEqualTo(new Constraint.ToolCalls(true, Optional.empty(), false));
    assertThat(
            chat(TOOLS + ",'tool_choice':{'type':'function','function':{'name':'sub'}}")
                .constraint())
        .isEqualTo(new Constraint.ToolCalls(true, Optional.of("sub"), true));
    var none = chat(TOOLS + ",'tool_choice':'none'");
    assertThat(none.constraint()).isEqualTo(new Constraint.None());
    assertThat(((Prompt.Chat) none.prompt()).tools()).isEmpty();
    var allowed =
        chat(
            TOOLS
                + ",'tool_choice':{'type':'allowed_tools','allowed_tools':{'mode':'required',"
                + "'tools':[{'type':'function','function':{'name':'sub'}}]}}");
    assertThat(((Prompt.Chat) allowed.prompt()).tools())
        .extracting(tool -> tool.name())
        .containsExactly("sub");
    refused(
        TOOLS + ",'tool_choice':{'type':'function','function':{'name':'mul'}}",
        "tool_choice",
        "names mul");
  }

  @Test
  void aFormatAndToolsTogetherAllowEither() {
    assertThat(chat(TOOLS + ",'response_format':{'type':'json_object'}").constraint())
        .isEqualTo(
            new Constraint.Either(
                List.of(
                    new Constraint.ToolCalls(true, Optional.empty(), true),
                    new Constraint.JsonObject())));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'enable_thinking':false",
        "'reasoning_effort':'none'",
        "'thinking':{'type':'disabled'}",
        "'chat_template_kwargs':{'enable_thinking':false}"
      })
  void thinkingIsSwitchedOffUnderEveryName(String field) {
    assertThat(((Prompt.Chat) chat(field).prompt()).templateArguments())
        .containsEntry("enable_thinking", false);
  }

  @Test
  void effortAndBudgetReachTheModel() {
    var effort = (Prompt.Chat) chat("'reasoning_effort':'low'").prompt();
    assertThat(effort.templateArguments())
        .containsAllEntriesOf(Map.of("reasoning_effort", "low", "enable_thinking", true));
    assertThat(chat("'thinking_token_budget':64").thinkingTokens()).hasValue(64);
    assertThat(chat("'thinking':{'type':'enabled','budget_tokens':65}").thinkingTokens())
        .hasValue(65);
  }
}
