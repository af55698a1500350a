package dev.vllmmlx.text.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.networknt.schema.InputFormat;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.IndependentValidator;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import dev.vllmmlx.text.tools.Read;
import dev.vllmmlx.text.tools.ToolCallFormat;
import dev.vllmmlx.text.tools.ToolCallFormats;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/** Whatever a model writes under a format's constraint is read back as calls that are valid. */
class ToolCallWalkTest {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final List<Tool> TOOLS =
      List.of(
          tool(
              "find",
              """
              {"type": "object",
               "properties": {
                 "query": {"type": "string"},
                 "kind": {"type": "string", "enum": ["near", "far off"]},
                 "limit": {"type": "integer", "minimum": 1, "maximum": 50},
                 "exact": {"type": "boolean"}},
               "required": ["query", "limit"]}\
              """),
          tool(
              "move",
              """
              {"type": "object",
               "properties": {
                 "to": {"$ref": "#/$defs/point"},
                 "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
                 "speed": {"type": "number"},
                 "label": {"type": ["string", "null"]}},
               "required": ["to"],
               "$defs": {"point": {"type": "object",
                 "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}},
                 "required": ["x", "y"], "additionalProperties": false}}}\
              """),
          new Tool("ping", Optional.empty(), Optional.empty(), false));

  /** What ends a text that stands without quotes. */
  private static final List<String> ENDINGS =
      List.of("\n</parameter>\n", "</arg_value>\n", "<escape>", "<|\"|>");

  private static final Tokenizer tokenizer = Vocabularies.smolLm();

  @AutoClose private static final ConstraintCompiler compiler = ConstraintCompiler.of(tokenizer);

  static Stream<ToolCallFormat> formats() {
    return ToolCallFormats.names().stream()
        .map(name -> ToolCallFormats.named(name).orElseThrow())
        .distinct();
  }

  private static Tool tool(String name, String schema) {
    @SuppressWarnings("unchecked")
    Map<String, Object> parameters = JSON.readValue(schema, LinkedHashMap.class);
    return new Tool(name, Optional.empty(), Optional.of(parameters), false);
  }

  @ParameterizedTest
  @MethodSource("formats")
  void requiredCallsAreValid(ToolCallFormat format) {
    for (boolean parallel : List.of(false, true)) {
      var wanted = new Constraint.ToolCalls(true, Optional.empty(), parallel);
      for (int seed = 0; seed < 12; seed++) {
        var read = walked(format, wanted, seed);
        assertThat(read.content()).isEmpty();
        assertThat(read.calls()).isNotEmpty();
        if (!parallel) {
          assertThat(read.calls()).hasSize(1);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void aNamedFunctionIsTheOneThatIsCalled(ToolCallFormat format) {
    var wanted = new Constraint.ToolCalls(true, Optional.of("move"), false);
    for (int seed = 0; seed < 6; seed++) {
      assertThat(walked(format, wanted, seed).calls())
          .extracting(Read.Call::name)
          .containsExactly("move");
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void callsThatTheModelChoseToMakeAreValid(ToolCallFormat format) {
    var wanted = new Constraint.ToolCalls(false, Optional.empty(), true);
    var beginning = format.written("find", "{}");
    for (int seed = 0; seed < 6; seed++) {
      // Led to the opening, as a model would be that wants to call.
      var text = led(format, wanted, beginning, seed);
      check(Read.of(format.reader(TOOLS), false, List.of(text)), text, TOOLS);
    }
    for (int seed = 0; seed < 6; seed++) {
      walked(format, wanted, seed);
    }
  }

  /** What formats that write one property after the other must find in schemas of schemas. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'$ref':'#/$defs/a','$defs':{'a':{'type':'object','properties':{'x':{'type':'integer'}},"
            + "'required':['x'],'additionalProperties':false}}}",
        "{'allOf':[{'properties':{'x':{'type':'integer'}},'required':['x']},"
            + "{'properties':{'y':{'type':'string'}},'required':['y']}]}",
        "{'properties':{'x':{'type':'boolean'}},'required':['x','z']}",
        "{'additionalProperties':{'type':'string'},'propertyNames':{'minLength':1}}"
      })
  void readsAndKeepsWhatASchemaIsComposedOf(String schema) {
    var tools = List.of(tool("f", schema.replace('\'', '"')));
    for (var name : List.of("qwen3_coder", "glm45")) {
      var format = ToolCallFormats.named(name).orElseThrow();
      for (var seed = 0; seed < 8; seed++) {
        var wanted = new Constraint.ToolCalls(true, Optional.empty(), false);
        try (var matcher = compiler.compile(format.constraint(tools, wanted))) {
          var text =
              new RandomWalk(tokenizer, seed % 2 == 0, ENDINGS)
                  .walk(matcher, new Random(seed), 60)
                  .text();
          var read = Read.of(format.reader(tools), false, List.of(text));
          assertThat(read.calls()).as(text).hasSize(1);
          check(read, text, tools);
        }
      }
    }
  }

  /** By two ways at each of forty levels: all ways would take years. */
  @ParameterizedTest
  @ValueSource(strings = {"qwen3_coder", "glm45"})
  void looksOnceAtASchemaThatManyReferTo(String name) {
    var definitions = new StringBuilder("'d40':{'properties':{'radius':{'type':'integer'}}}");
    for (var level = 0; level < 40; level++) {
      var next = "{'$ref':'#/$defs/d%d'}".formatted(level + 1);
      definitions.append(",'d%d':{'allOf':[%s,%s]}".formatted(level, next, next));
    }
    var schema = "{'$ref':'#/$defs/d0','$defs':{%s}}".formatted(definitions).replace('\'', '"');
    var tools = List.of(tool("f", schema));
    var format = ToolCallFormats.named(name).orElseThrow();
    var wanted = new Constraint.ToolCalls(true, Optional.empty(), false);
    var constraint =
        assertTimeoutPreemptively(
            Duration.ofSeconds(20), () -> format.constraint(tools, wanted).toString());
    assertThat(constraint).contains("radius");
  }

  private static Read walked(ToolCallFormat format, Constraint.ToolCalls wanted, int seed) {
    try (var matcher = compiler.compile(format.constraint(TOOLS, wanted))) {
      var text =
          new RandomWalk(tokenizer, seed % 2 == 0, ENDINGS)
              .walk(matcher, new Random(seed), 60)
              .text();
      var read = Read.of(format.reader(TOOLS), false, List.of(text));
      check(read, text, TOOLS);
      return read;
    }
  }

  private static String led(
      ToolCallFormat format, Constraint.ToolCalls wanted, String to, int seed) {
    try (var matcher = compiler.compile(format.constraint(TOOLS, wanted))) {
      var tokens = tokenizer.encode(to, false);
      var text = new StringBuilder();
      for (int token : tokens) {
        if (text.length() > 14 || !RandomWalk.allowed(tokenizer, matcher).get(token)) {
          break;
        }
        matcher.accept(token);
        text.append(
            new String(tokenizer.tokenBytes(token), java.nio.charset.StandardCharsets.UTF_8));
      }
      return text
          + new RandomWalk(tokenizer, true, ENDINGS).walk(matcher, new Random(seed), 60).text();
    }
  }

  private static void check(Read read, String text, List<Tool> tools) {
    assertThat(read.whole()).as(text).isTrue();
    for (var call : read.calls()) {
      var tool = tools.stream().filter(t -> t.name().equals(call.name())).findFirst().orElseThrow();
      var schema = JSON.writeValueAsString(tool.parameters().orElse(Map.of("type", "object")));
      var errors = IndependentValidator.of(schema).validate(call.arguments(), InputFormat.JSON);
      assertThat(errors).as(text).isEmpty();
    }
  }
}
