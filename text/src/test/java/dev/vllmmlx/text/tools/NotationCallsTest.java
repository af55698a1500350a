package dev.vllmmlx.text.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calls whose arguments are no JSON: Python's and Gemma's. */
class NotationCallsTest {
  private static final List<Tool> TOOLS =
      List.of(
          new Tool("f", Optional.empty(), Optional.empty(), false),
          new Tool("g", Optional.empty(), Optional.empty(), false));

  private static Read read(String format, String text) {
    var reader = ToolCallFormats.named(format).orElseThrow().reader(TOOLS);
    return Read.of(reader, false, List.of(text));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          [f(a=1, b="x")]                         ~ {"a": 1, "b": "x"}
          [f(a='it\\'s "so"',b=True)]             ~ {"a": "it's \\"so\\"", "b": true}
          [f(a=None, b=false, c=-1.5e3)]          ~ {"a": null, "b": false, "c": -1.5e3}
          [f( a = {'k': [1, 'z'], 'e': {}} ) ]    ~ {"a": {"k": [1, "z"], "e": {}}}
          [f(a=(1, 2,), b=[],)]                   ~ {"a": [1, 2], "b": []}
          [f(a="\\u00e9\\x41\\U0001F600\\/\\q")]    ~ {"a": "éA😀/\\\\q"}
          [f(a="\\ud83d\\ude00")]                 ~ {"a": "\\ud83d\\ude00"}
          [f(a=some words, b=1_000)]              ~ {"a": "some words", "b": "1_000"}
          <|python_start|>[f(a=1)]<|python_end|>  ~ {"a": 1}
          [f()]                                   ~ {}
          """)
  void readsPythonsLiterals(String text, String arguments) {
    var read = read("pythonic", text);
    assertThat(read.content()).isEmpty();
    assertThat(read.calls()).containsExactly(new Read.Call("f", arguments));
    assertThat(read.whole()).isTrue();
  }

  @Test
  void readsSeveralCallsOfOneList() {
    assertThat(read("llama4_pythonic", "[f(a=1), g(b=\"[g()]\")]").calls())
        .containsExactly(
            new Read.Call("f", "{\"a\": 1}"), new Read.Call("g", "{\"b\": \"[g()]\"}"));
  }

  @Test
  void readsABlockOfCode() {
    assertThat(read("tool_code", "I look.\n```tool_code\nf(a='x',\n  b=[1])\nprint(g())\n```"))
        .isEqualTo(
            new Read(
                "I look.\n",
                List.of(new Read.Call("f", "{\"a\": \"x\", \"b\": [1]}"), new Read.Call("g", "{}")),
                true));
    for (var text : List.of("```python\nf(a=1)\n```", "```tool_code\nh()\n```", "f(a=1)")) {
      assertThat(read("tool_code", text)).isEqualTo(new Read(text, List.of(), true));
    }
  }

  @Test
  void aListThatCallsNothingIsText() {
    for (var text : List.of("[1, 2]", "[link](f(x=1))", "[h(a=1)]", "see [f(a=1)]")) {
      assertThat(read("pythonic", text)).isEqualTo(new Read(text, List.of(), true));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          <escape>a, "b" {c}\\n<escape>,n:3              ~ "a, \\"b\\" {c}\\\\n", "n": 3
          {k:[true,null,<escape>z<escape>],o:{}},n:-0.5  ~ {"k": [true, null, "z"], "o": {}}, "n": -0.5
          plain words                                    ~ "plain words"
          """)
  void readsGemmasNotation(String value, String json) {
    var expected = List.of(new Read.Call("f", "{\"a\": " + json + "}"));
    assertThat(
            read("functiongemma", "<start_function_call>call:f{a:" + value + "}<end_function_call>")
                .calls())
        .isEqualTo(expected);
    var same = value.replace("<escape>", "<|\"|>");
    assertThat(read("gemma4", "<|tool_call>call:f{a:" + same + "}<tool_call|>").calls())
        .isEqualTo(expected);
  }

  @Test
  void theBeginningOfAResultIsDropped() {
    var text = "<start_function_call>call:f{}<end_function_call><start_function_response>";
    assertThat(read("functiongemma", text))
        .isEqualTo(new Read("", List.of(new Read.Call("f", "{}")), true));
  }

  @Test
  void aStrictToolIsRefusedByTheKeywordThatTheNotationCannotKeep() {
    Map<String, Object> parameters =
        Map.of("properties", Map.of("a", Map.of("type", "array", "uniqueItems", true)));
    var format = ToolCallFormats.named("pythonic").orElseThrow();
    var wanted = new Constraint.ToolCalls(true, Optional.empty(), false);
    var strict = new Tool("f", Optional.empty(), Optional.of(parameters), true);
    assertThatThrownBy(() -> format.constraint(List.of(strict), wanted))
        .hasMessageContaining("uniqueItems")
        .hasMessageContaining("of f");
    var lenient = new Tool("f", Optional.empty(), Optional.of(parameters), false);
    assertThat(format.constraint(List.of(lenient), wanted)).isNotNull();
  }

  private static Constraint argumentsOf(Map<String, Object> parameters, boolean strict) {
    var tool = new Tool("f", Optional.empty(), Optional.of(parameters), strict);
    return ToolCallFormats.named("pythonic")
        .orElseThrow()
        .constraint(List.of(tool), new Constraint.ToolCalls(true, Optional.of("f"), false));
  }

  @ParameterizedTest
  @CsvSource({"properties", "anyOf", "items", "additionalProperties"})
  void whatDoublesAtEachReferenceIsRefused(String keyword) {
    var definitions = new HashMap<String, Object>();
    for (var i = 0; i < 23; i++) {
      Map<String, Object> next = Map.of("$ref", "#/$defs/d" + (i + 1));
      definitions.put(
          "d" + i,
          switch (keyword) {
            case "anyOf" -> Map.of("anyOf", List.of(next, next));
            case "items" -> Map.of("type", "array", "items", next);
            case "properties" ->
                Map.of("type", "object", "properties", Map.of("l", next, "r", next));
            default -> Map.of("type", "object", "additionalProperties", next);
          });
    }
    definitions.put("d23", Map.of("type", "string"));
    var parameters =
        Map.<String, Object>of(
            "properties", Map.of("a", Map.of("$ref", "#/$defs/d0")), "$defs", definitions);
    for (var strict : List.of(true, false)) {
      assertThatThrownBy(() -> argumentsOf(parameters, strict))
          .hasMessageStartingWith("parameters of f: ")
          .hasMessageContaining("too large");
    }
  }
}
