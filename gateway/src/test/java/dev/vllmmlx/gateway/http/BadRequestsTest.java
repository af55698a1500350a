package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.CHAT;
import static dev.vllmmlx.gateway.TestServer.COMPLETIONS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class BadRequestsTest {
  private static ScriptedEngine engine;
  private static TestServer server;

  @BeforeAll
  static void open() {
    engine = new ScriptedEngine();
    server = new TestServer(engine);
  }

  @AfterAll
  static void close() {
    server.close();
    engine.close();
  }

  @AfterEach
  void noneReachedTheEngine() {
    assertThat(engine.asked()).isEmpty();
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          temperature | "warm" | invalid_type | must be a number, and is a string
          temperature | true | invalid_type | must be a number, and is true or false
          temperature | -0.1 | invalid_value | from 0 to 2
          temperature | 2.01 | invalid_value | from 0 to 2
          temperature | 1e400 | invalid_value | from 0 to 2
          top_p | 0 | invalid_value | above 0 to 1
          top_p | 1e-60 | invalid_value | above 0 to 1
          top_p | 1.1 | invalid_value | above 0 to 1
          top_k | -2 | invalid_value | from -1
          top_k | 1.5 | invalid_type | a whole number
          min_p | 1.5 | invalid_value | from 0 to 1
          min_p | [] | invalid_type | is a list
          repetition_penalty | 0 | invalid_value | must be above 0, and is 0
          repetition_penalty | 1e-60 | invalid_value | must be above 0, and
          presence_penalty | 2.5 | invalid_value | from -2 to 2
          frequency_penalty | -2.5 | invalid_value | from -2 to 2
          seed | "1" | invalid_type | a whole number
          seed | 9223372036854775808 | invalid_value | 9223372036854775807
          n | 0 | invalid_value | from 1 to 128
          n | 129 | invalid_value | from 1 to 128
          n | true | invalid_type | a whole number, and is true or false
          max_tokens | 0 | invalid_value | from 1
          max_tokens | "9" | invalid_type | a whole number
          min_tokens | -1 | invalid_value | from 0
          min_tokens | 40000 | invalid_value | more than the 32768 tokens allowed
          stop | 5 | invalid_type | a string or a list of strings
          stop | ["a", 5] | invalid_type | a string or a list of strings
          stop | "" | invalid_value | empty string
          stop | ["a", ""] | invalid_value | empty string
          stop_token_ids | 5 | invalid_type | a list
          stop_token_ids | ["5"] | invalid_type | token ids
          stop_token_ids | [1000] | invalid_value | from 0 to 999
          stop_token_ids | [-1] | invalid_value | from 0 to 999
          ignore_eos | 1 | invalid_type | true or false
          logit_bias | [1] | invalid_type | an object
          logit_bias | {"five": 1} | invalid_value | "five" is no token id
          logit_bias | {"1000": 1} | invalid_value | from 0 to 999
          logit_bias | {"5": 101} | invalid_value | from -100 to 100
          logit_bias | {"5": "1"} | invalid_value | from -100 to 100
          stream | "true" | invalid_type | true or false
          stream_options | {"include_usage": true} | invalid_value | stream is not true
          timeout | 0 | invalid_value | above 0
          priority | 2147483648 | invalid_value | 2147483647
          model | 5 | invalid_type | a string
          best_of | 2 | unsupported_parameter | unless it equals n
          store | true | unsupported_parameter | unless false
          service_tier | "flex" | unsupported_parameter | unless auto or default
          use_beam_search | true | unsupported_parameter | not supported
          skip_special_tokens | false | unsupported_parameter | not supported
          guided_json | 5 | invalid_type | a JSON Schema
          guided_json | "{" | invalid_value | is no JSON
          guided_choice | [] | invalid_value | at least one string
          guided_choice | [1] | invalid_type | a list of strings
          guided_whitespace_pattern | " " | unsupported_parameter | not supported
          structured_outputs | {} | invalid_value | must hold one of
          structured_outputs | "a" | invalid_value | must be an object
          grammar | 1 | invalid_type | a string
          prompt_logprobs | 1 | unsupported_parameter | not supported
          """)
  void refusesAFieldOfBothApisByName(String field, String value, String code, String says) {
    var chat =
        server.post(
            CHAT,
            "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"%s\":%s}"
                .formatted(field, value));
    assertRefused(chat, field, code, says);
    var completion =
        server.post(COMPLETIONS, "{\"prompt\":\"x\",\"%s\":%s}".formatted(field, value));
    assertRefused(completion, field, code, says);
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          max_completion_tokens | 0 | invalid_value | from 1
          logprobs | 1 | invalid_type | true or false
          top_logprobs | 5 | invalid_value | needs logprobs to be true
          top_logprobs | 21 | invalid_value | from 0 to 20
          tools | {} | invalid_type | a list
          tools | [{"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "f"}}] | invalid_value | two functions named f
          functions | [{}] | unsupported_parameter | not supported
          function_call | "auto" | unsupported_parameter | not supported
          tool_choice | "required" | invalid_value | tools are missing
          tool_choice | "any" | invalid_value | none, auto, required
          parallel_tool_calls | 1 | invalid_type | true or false
          thinking_token_budget | -1 | invalid_value | from 0
          enable_thinking | 1 | invalid_type | true or false
          modalities | ["audio"] | unsupported_parameter | not supported
          audio | {"voice": "x"} | unsupported_parameter | not supported
          prediction | {"type": "content"} | unsupported_parameter | not supported
          reasoning_effort | "some" | invalid_value | none, minimal, low
          verbosity | "low" | unsupported_parameter | not supported
          web_search_options | {"a": 1} | unsupported_parameter | not supported
          chat_template | "x" | unsupported_parameter | not supported
          chat_template_kwargs | [] | invalid_type | an object
          continue_final_message | "yes" | invalid_type | true or false
          add_generation_prompt | false | invalid_value | only if continue_final_message
          echo | true | unsupported_parameter | not supported
          """)
  void refusesAFieldOfChatsByName(String field, String value, String code, String says) {
    var response =
        server.post(
            CHAT,
            "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"%s\":%s}"
                .formatted(field, value));
    assertRefused(response, field, code, says);
  }

  @ParameterizedTest(name = "{1}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          messages | "hi" | invalid_type | a list
          messages | null | missing_required_parameter | required
          messages | [] | invalid_value | at least one
          messages[0] | ["hi"] | invalid_value | must be an object, and is a string
          messages[0].role | [{"content": "x"}] | missing_required_parameter | required
          messages[0].role | [{"role": 5, "content": "x"}] | invalid_type | a string
          messages[0].role | [{"role": "robot", "content": "x"}] | invalid_value | is "robot"
          messages[0].content | [{"role": "user"}] | missing_required_parameter | required
          messages[0].content | [{"role": "user", "content": 5}] | invalid_type | parts
          messages[0].content[0] | [{"role": "user", "content": ["x"]}] | invalid_value | an object
          messages[0].content[0].type | [{"role": "user", "content": [{"text": "x"}]}] | missing_required_parameter | required
          messages[0].content[0].text | [{"role": "user", "content": [{"type": "text"}]}] | missing_required_parameter | required
          messages[0].content[1].type | [{"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image_url"}]}] | unsupported_parameter | text alone
          messages[0].name | [{"role": "user", "content": "x", "name": 1}] | invalid_type | a string
          messages[0].audio | [{"role": "assistant", "audio": {"id": "x"}}] | unsupported_parameter | not supported
          messages[0].tool_calls | [{"role": "assistant", "tool_calls": "x"}] | invalid_type | a list
          messages[0].tool_calls[0].function | [{"role": "assistant", "tool_calls": [{"id": "1"}]}] | missing_required_parameter | required
          messages[0].tool_calls[0].function.name | [{"role": "assistant", "tool_calls": [{"function": {"arguments": "{}"}}]}] | missing_required_parameter | required
          messages[0].tool_calls[0].function.arguments | [{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}] | missing_required_parameter | required
          messages[0].tool_calls[0].type | [{"role": "assistant", "tool_calls": [{"type": "x", "function": {"name": "f"}}]}] | unsupported_parameter | unless function
          messages[0].content | [{"role": "user", "content": "half \\ud83d"}] | invalid_value | half of a surrogate pair
          """)
  void namesThePlaceInMessages(String field, String messages, String code, String says) {
    assertRefused(server.post(CHAT, "{\"messages\":%s}".formatted(messages)), field, code, says);
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          prompt | null | missing_required_parameter | required
          prompt | 5 | invalid_type | a string
          prompt | [] | invalid_value | empty
          prompt | [[]] | invalid_value | empty list
          prompt | [true] | invalid_type | a string
          prompt | [1, "a"] | invalid_type | token ids
          prompt | ["a", 1] | invalid_type | a string
          prompt | [1000] | invalid_value | from 0 to 999
          prompt | [1.5] | invalid_type | token ids
          """)
  void refusesABadPrompt(String field, String value, String code, String says) {
    assertRefused(server.post(COMPLETIONS, "{\"prompt\":%s}".formatted(value)), field, code, says);
  }

  @Test
  void refusesWhatCompletionsCannotDo() {
    assertRefused(
        server.post(COMPLETIONS, "{'prompt':'x','suffix':'y'}"),
        "suffix",
        "unsupported_parameter",
        "not supported");
    assertRefused(
        server.post(COMPLETIONS, "{'prompt':'x','echo':true,'logprobs':1}"),
        "logprobs",
        "unsupported_parameter",
        "together with echo");
    assertRefused(
        server.post(COMPLETIONS, "{'prompt':'x','logprobs':true}"),
        "logprobs",
        "invalid_type",
        "a whole number");
  }

  @Test
  void refusesTooManyStopsAndPrompts() {
    var many = IntStream.range(0, 200).mapToObj(i -> "'s" + i + "'").toList();
    assertRefused(
        server.post(COMPLETIONS, "{'prompt':'x','stop':%s}".formatted(many)),
        "stop",
        "invalid_value",
        "at most 16");
    assertRefused(
        server.post(COMPLETIONS, "{'prompt':%s}".formatted(many)),
        "prompt",
        "invalid_value",
        "at most 128");
  }

  @Test
  void refusesLimitsThatContradictEachOther() {
    assertRefused(
        server.post(
            CHAT,
            "{'messages':[{'role':'user','content':'x'}],'max_tokens':3,'max_completion_tokens':4}"),
        "max_completion_tokens",
        "invalid_value",
        "give one");
  }

  @Test
  void refusesAModelThatIsNotServed() {
    var response = server.post(COMPLETIONS, "{'model':'gpt-4','prompt':'x'}");
    assertThat(response.statusCode()).isEqualTo(404);
    var error = error(response);
    assertThat(error.get("code").stringValue()).isEqualTo("model_not_found");
    assertThat(error.get("param").stringValue()).isEqualTo("model");
    assertThat(error.get("message").stringValue())
        .contains("gpt-4", ScriptedEngine.MODEL, "default");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"prompt": "x",} | line 1, column 16
          {"prompt": "x" | line 1
          {"prompt": "x"} {} | not valid JSON
          {"prompt": "x"} x | not valid JSON
          {"prompt": "x", "prompt": "y"} | prompt
          {'prompt': "x"} | line 1, column
          {"prompt": NaN} | line 1, column
          prompt | line 1, column
          `` | is empty
          `  ` | is empty
          [] | must be a JSON object
          "prompt" | must be a JSON object
          null | must be a JSON object
          """)
  void saysWhereABodyIsNoJson(String body, String says) {
    var request =
        server.request(COMPLETIONS).POST(HttpRequest.BodyPublishers.ofString(body)).build();
    var response = server.send(request);
    assertThat(response.statusCode()).isEqualTo(400);
    var error = error(response);
    assertThat(error.get("message").stringValue()).contains(says);
    assertThat(error.get("param").isNull()).isTrue();
  }

  @Test
  void saysTheLineOfAFault() {
    var request =
        server
            .request(COMPLETIONS)
            .POST(HttpRequest.BodyPublishers.ofString("{\n  \"prompt\": \"x\"\n  \"n\": 1\n}"))
            .build();
    assertThat(error(server.send(request)).get("message").stringValue()).contains("line 3");
  }

  @ParameterizedTest
  @ValueSource(ints = {1000, 100_000})
  void refusesDeepNesting(int depth) {
    var body = "{\"x\":" + "[".repeat(depth) + "]".repeat(depth) + "}";
    var request =
        server.request(COMPLETIONS).POST(HttpRequest.BodyPublishers.ofString(body)).build();
    var response = server.send(request);
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(error(response).get("message").stringValue()).contains("depth");
  }

  @Test
  void refusesWhatIsNotUtf8() {
    var bytes = "{\"prompt\": \"caf\u00e9\"}".getBytes(StandardCharsets.ISO_8859_1);
    var response =
        server.send(
            server
                .request(COMPLETIONS)
                .POST(HttpRequest.BodyPublishers.ofByteArray(bytes))
                .build());
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(error(response).get("message").stringValue()).contains("UTF-8");
  }

  private static JsonNode error(HttpResponse<String> response) {
    var error = TestServer.json(response).get("error");
    assertThat(error.propertyNames()).containsExactly("message", "type", "param", "code");
    return error;
  }

  private static void assertRefused(
      HttpResponse<String> response, String field, String code, String says) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
    var error = error(response);
    assertThat(error.get("message").stringValue()).contains(says);
    assertThat(error.get("type").stringValue()).isEqualTo("invalid_request_error");
    assertThat(error.get("param").asString("(null)")).isEqualTo(field);
    assertThat(error.get("code").stringValue()).isEqualTo(code);
  }
}
