package dev.vllmmlx.text.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.answer.AnswerFormat;
import dev.vllmmlx.text.parts.Part;
import dev.vllmmlx.text.parts.Parts;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ToolCallFormatsTest {

  /** What the templates of such models say of calls, in few words. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      textBlock =
          """
          hermes ~ within <tool_call></tool_call> tags
          qwen3_coder ~ <tool_call><function={{ name }}><parameter={{ key }}>
          glm45 ~ <tool_call>{{ name }}<arg_key>{{ k }}</arg_key><arg_value>{{ v }}</arg_value>
          llama3_json ~ <|start_header_id|> {"name": f, "parameters": {}}
          mistral ~ [TOOL_CALLS]{{ name }}[ARGS]{{ arguments }}
          mistral_v3 ~ [TOOL_CALLS] [{"name": "f", "arguments": {}}]
          deepseek_v3 ~ <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f ```json
          deepseek_v31 ~ <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{}
          kimi_k2 ~ <|tool_calls_section_begin|><|tool_call_begin|>
          granite ~ <|start_of_role|>assistant<|end_of_role|><|tool_call|>
          phi4 ~ <|tool|>{{ tools }}<|/tool|>
          command_r ~ <|START_ACTION|>[]<|END_ACTION|>
          pythonic ~ in the format [func_name1(params_name1=params_value1), func_name2(params)]
          tool_code ~ wrap calls like this: ```tool_code f(x=1)```
          functiongemma ~ <start_function_call>call:{{ name }}{ }<end_function_call>
          gemma4 ~ <|tool_call>call:{{ name }}{ }<tool_call|>
          harmony ~ <|start|>assistant<|channel|>commentary<|message|>
          """)
  void theTemplateShowsTheFormat(String format, String template) {
    assertThat(ToolCallFormats.of(template)).map(ToolCallFormat::name).contains(format);
  }

  @Test
  void aTemplateWithoutCallsShowsNone() {
    assertThat(ToolCallFormats.of("{{ messages[0].content }}")).isEmpty();
    assertThat(AnswerFormat.of(List.of("{{ messages[0].content }}")).calls())
        .map(ToolCallFormat::name)
        .contains("json");
  }

  @Test
  void whatAFormatThatWritesOneByOneCannotKeepIsRefusedByNameWhereAToolIsStrict() {
    Map<String, Object> parameters = Map.of("properties", Map.of(), "minProperties", 1);
    var wanted = new Constraint.ToolCalls(true, Optional.empty(), false);
    for (var format : List.of(TaggedCalls.glm(), TaggedCalls.qwen3Coder())) {
      var strict = new Tool("f", Optional.empty(), Optional.of(parameters), true);
      assertThatThrownBy(() -> format.constraint(List.of(strict), wanted))
          .hasMessageContaining("minProperties")
          .hasMessageContaining("of f");
      var lenient = new Tool("f", Optional.empty(), Optional.of(parameters), false);
      assertThat(format.constraint(List.of(lenient), wanted)).isNotNull();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"qwen3_coder", "glm45", "pythonic", "tool_code", "functiongemma", "gemma4"})
  void argumentsThatCannotBeAreRefused(String name) {
    var format = ToolCallFormats.named(name).orElseThrow();
    var wanted = new Constraint.ToolCalls(true, Optional.empty(), false);
    var parameters =
        Map.<String, Object>of(
            "properties", Map.of("a", Map.of()),
            "required", List.of("a", "b"),
            "additionalProperties", false);
    for (var strict : List.of(true, false)) {
      var tool = new Tool("f", Optional.empty(), Optional.of(parameters), strict);
      assertThatThrownBy(() -> format.constraint(List.of(tool), wanted))
          .isInstanceOf(EngineException.InvalidRequest.class)
          .hasMessageContaining("parameters of f")
          .hasMessageContaining("/required: \"b\"");
    }
  }

  @Test
  void thinkingBeforeACallOfHarmonyIsThinking() {
    var tool = new Tool("f", Optional.empty(), Optional.empty(), false);
    var harmony = ToolCallFormats.named("openai").orElseThrow();
    var format = AnswerFormat.named(Optional.of("harmony"), Optional.of("harmony"));
    var out = new Parts();
    var reader = format.reader(List.of(tool), false);
    reader.feed(
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant" + harmony.written("f", "{}"),
        out);
    reader.finish(false, out);
    assertThat(out.take())
        .containsExactly(
            new Part.Reasoning("Hm."),
            new Part.ToolCallStart(0, "f", Optional.empty()),
            new Part.ToolCallArguments(0, "{}"),
            new Part.ToolCallEnd(0));
  }
}
