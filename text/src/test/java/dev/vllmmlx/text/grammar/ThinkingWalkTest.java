package dev.vllmmlx.text.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.InputFormat;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.IndependentValidator;
import dev.vllmmlx.text.answer.AnswerFormat;
import dev.vllmmlx.text.reasoning.ReasoningFormats;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import dev.vllmmlx.text.tools.Read;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Where a model has thought, its answer is still a call or what it must be. */
class ThinkingWalkTest {
  private static final String SCHEMA =
      """
      {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"],
       "additionalProperties": false}""";
  private static final List<Tool> TOOLS =
      List.of(
          new Tool(
              "f",
              Optional.empty(),
              Optional.of(Map.of("properties", Map.of("b", Map.of("type", "boolean")))),
              true));
  private static final Constraint EITHER =
      new Constraint.Either(
          List.of(
              new Constraint.ToolCalls(true, Optional.empty(), false),
              new Constraint.JsonSchema(SCHEMA, true)));

  private static final Tokenizer tokenizer = Vocabularies.smolLm();

  @AutoClose private static final ConstraintCompiler compiler = ConstraintCompiler.of(tokenizer);

  static Stream<AnswerFormat> formats() {
    return ReasoningFormats.names().stream()
        .map(name -> ReasoningFormats.named(name).orElseThrow().name())
        .distinct()
        .map(
            name ->
                AnswerFormat.named(
                    Optional.of(name), Optional.of(name.equals("harmony") ? name : "hermes")));
  }

  @ParameterizedTest
  @MethodSource("formats")
  void isACallOrWhatTheSchemaSays(AnswerFormat format) {
    var closing = format.reasoning().orElseThrow().closing();
    for (var thinking : List.of(true, false)) {
      for (var seed = 0; seed < 16; seed++) {
        try (var matcher = compiler.compile(format.constraint(EITHER, TOOLS, thinking))) {
          var text =
              new RandomWalk(tokenizer, seed % 2 == 0, List.of(closing))
                  .walk(matcher, new Random(seed), 40)
                  .text();
          var reader = format.reader(TOOLS, thinking);
          var read = Read.withThinking(reader, false, List.of(text));
          if (read.calls().isEmpty()) {
            valid(SCHEMA, read.content(), text);
          } else {
            assertThat(read.content()).as(text).isBlank();
            assertThat(read.calls()).as(text).hasSize(1);
            var arguments = read.calls().getFirst().arguments();
            valid("{\"properties\":{\"b\":{\"type\":\"boolean\"}}}", arguments, text);
          }
        }
      }
    }
  }

  private static void valid(String schema, String json, String text) {
    assertThat(IndependentValidator.of(schema).validate(json, InputFormat.JSON)).as(text).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          think     ~ <think>\\nHm {\\n</think>\\n\\n{"n": 1}
          mistral   ~ [THINK]Hm [/THINK]{"n": 1}
          granite   ~ <think>Hm</think>\\n<response>{"n": 1}
          granite   ~ Here's my thought process: Hm. Here is my response:\\n{"n": 1}
          command_r ~ <|START_THINKING|>Hm<|END_THINKING|><|START_RESPONSE|>{"n": 1}
          gemma     ~ <|channel>thought\\nHm<channel|>{"n": 1}
          think     ~ {"n": 1}
          """)
  void admitsWhatAModelWrites(String name, String written) {
    var text = written.replace("\\n", "\n");
    var format = AnswerFormat.named(Optional.of(name), Optional.of("hermes"));
    try (var matcher = compiler.compile(format.constraint(EITHER, TOOLS, false))) {
      var tokens = tokenizer.encode(text, false);
      assertThat(matcher.accept(tokens)).isEqualTo(tokens.length);
      assertThat(matcher.isAccepting()).isTrue();
    }
    try (var matcher = compiler.compile(format.constraint(EITHER, TOOLS, false))) {
      var tokens = tokenizer.encode(text.replace("{\"n\"", "{\"m\""), false);
      assertThat(matcher.accept(tokens)).as("another property").isLessThan(tokens.length);
    }
  }

  /** Whichever mark closes the thinking, the answer begins there. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      textBlock =
          """
          <think>Hm. Here is my response: free text </think>{"n": 1}
          <think>Hm.</think> free text Here is my response:{"n": 1}
          """)
  void noTextGoesBetweenThinkingAndAnswer(String text) {
    var format = AnswerFormat.named(Optional.of("granite"), Optional.of("hermes"));
    try (var matcher = compiler.compile(format.constraint(EITHER, TOOLS, false))) {
      var tokens = tokenizer.encode(text, false);
      assertThat(matcher.accept(tokens)).isLessThan(tokens.length);
    }
  }
}
