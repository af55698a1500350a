package dev.vllmmlx.text.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.InputFormat;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Constraint.JsonWhitespace;
import dev.vllmmlx.text.IndependentValidator;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.json.JsonMapper;

/** What masks let through, judged by a validator that knows nothing of them. */
class JsonConstraintTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final List<String> SMALL = List.of("llama3", "llama2", "qwen2", "mistral");

  private static final Tokenizer smolLm = Vocabularies.smolLm();

  @AutoClose private static final ConstraintCompiler compiler = ConstraintCompiler.of(smolLm);

  /** JSON sets no bound to exponents, Java's numbers do. */
  private static String readable(String json) {
    return json.replaceAll("(\\d[eE][+-]?\\d{2})\\d+", "$1");
  }

  private static Constraint strict(Schemas schema) {
    return new Constraint.JsonSchema(schema.schema(), true);
  }

  static Stream<Arguments> schemasAndForcing() {
    return Schemas.ALL.stream()
        .flatMap(each -> Stream.of(Arguments.of(each, true), Arguments.of(each, false)));
  }

  @ParameterizedTest
  @MethodSource("schemasAndForcing")
  void anyTokensThatAreAllowedMakeValidJson(Schemas schema, boolean forcing) {
    var validator = IndependentValidator.of(schema.schema());
    for (var seed = 0; seed < 20; seed++) {
      try (var matcher = compiler.compile(strict(schema))) {
        var text = new RandomWalk(smolLm, forcing).walk(matcher, new Random(seed), 60).text();
        assertThat(validator.validate(readable(text), InputFormat.JSON)).as(text).isEmpty();
      }
    }
  }

  @Test
  void wholeNumbersOfAnySpellingAreCounts() {
    try (var matcher =
        compiler.compile(
            new Constraint.JsonSchema(
                """
                {"type":"array","minItems":1.0,"maxItems":2E0,
                 "items":{"type":"object","minProperties":1.0,"maxProperties":1.0,"required":["minLength"],
                          "properties":{"minLength":{"type":"string","minLength":2.0,"maxLength":3.00}}}}""",
                true))) {
      assertThat(Texts.admits(matcher, smolLm, "[{\"minLength\":\"ab\"}]")).isTrue();
      assertThat(Texts.admits(matcher, smolLm, "[{\"minLength\":\"a\"}]")).isFalse();
      assertThat(Texts.admits(matcher, smolLm, "[{\"minLength\":\"abcd\"}]")).isFalse();
      assertThat(Texts.admits(matcher, smolLm, "[]")).isFalse();
    }
  }

  @ParameterizedTest
  @FieldSource("SMALL")
  void soTheyDoInVocabulariesOfOtherKinds(String name) {
    var tokenizer = Vocabularies.small(name);
    try (var other = ConstraintCompiler.of(tokenizer)) {
      for (var schema : Schemas.ALL) {
        var validator = IndependentValidator.of(schema.schema());
        for (var seed = 0; seed < 4; seed++) {
          try (var matcher = other.compile(strict(schema))) {
            var walk = new RandomWalk(tokenizer, seed % 2 == 0);
            var text = walk.walk(matcher, new Random(seed), 60).text();
            assertThat(validator.validate(readable(text), InputFormat.JSON)).as(text).isEmpty();
          }
        }
      }
    }
  }

  @ParameterizedTest
  @FieldSource("dev.vllmmlx.text.grammar.Schemas#ALL")
  void admitsEveryInstanceInAnyTokens(Schemas schema) {
    var instances =
        schema.instances().stream()
            .flatMap(text -> Stream.of(text, JSON.readTree(text).toString()));
    for (var text : instances.distinct().toList()) {
      assertThat(IndependentValidator.of(schema.schema()).validate(text, InputFormat.JSON))
          .as(text)
          .isEmpty();
      try (var whole = compiler.compile(strict(schema));
          var single = compiler.compile(strict(schema))) {
        admits(whole, smolLm.encode(text, false), text);
        var characters =
            text.codePoints()
                .mapToObj(Character::toString)
                .flatMapToInt(each -> Arrays.stream(smolLm.encode(each, false)))
                .toArray();
        admits(single, characters, text);
      }
    }
  }

  private static void admits(ConstraintMatcher matcher, int[] tokens, String text) {
    for (var token : tokens) {
      assertThat(RandomWalk.allowed(smolLm, matcher).get(token))
          .as("'%s' of %s", smolLm.tokenOf(token).orElse(""), text)
          .isTrue();
      assertThat(matcher.accept(token)).isTrue();
    }
    assertThat(matcher.isAccepting()).as(text).isTrue();
    assertThat(matcher.accept(smolLm.eosId().orElseThrow())).isTrue();
    assertThat(matcher.isComplete()).isTrue();
  }

  @ParameterizedTest
  @FieldSource("dev.vllmmlx.text.grammar.Schemas#ALL")
  void forcesTheTokensThatTheTokenizerGives(Schemas schema) {
    for (var text : schema.instances()) {
      try (var matcher = compiler.compile(strict(schema))) {
        var tokens = smolLm.encode(text, false);
        for (var at = 0; at < tokens.length; at++) {
          var forced = matcher.forced();
          assertThat(forced)
              .as("behind %s of %s", smolLm.decode(Arrays.copyOf(tokens, at), false), text)
              .isEqualTo(Arrays.copyOfRange(tokens, at, at + forced.length));
          assertThat(matcher.accept(tokens[at])).isTrue();
        }
        assertThat(matcher.forced()).isEmpty();
      }
    }
  }

  @Test
  void forcesLongKeysAtOnce() {
    var schema =
        """
        {"type":"object","properties":{"the_first_of_two_long_keys":{"type":"integer"}},
         "required":["the_first_of_two_long_keys"],"additionalProperties":false}""";
    try (var matcher =
        compiler.compile(new Constraint.JsonSchema(schema, true, JsonWhitespace.COMPACT))) {
      assertThat(matcher.accept(smolLm.idOf("{").orElseThrow())).isTrue();
      var forced = matcher.forced();
      assertThat(forced).hasSizeGreaterThan(5);
      assertThat(smolLm.decode(forced, false)).startsWith("\"the_first_of_two_long_keys");
    }
  }

  @Test
  void keepsWhitespaceShort() {
    try (var matcher = compiler.compile(new Constraint.JsonObject())) {
      assertThat(matcher.accept(smolLm.encode("{\n                    ", false)))
          .as("a line feed and 20 spaces")
          .isEqualTo(smolLm.encode("{\n                    ", false).length);
      assertThat(matcher.accept(smolLm.encode(" ", false))).isZero();
      assertThat(matcher.accept(smolLm.encode("\n", false))).isZero();
    }
    try (var matcher = compiler.compile(new Constraint.JsonObject())) {
      assertThat(matcher.accept(smolLm.encode("{", false))).isOne();
      assertThat(matcher.accept(smolLm.encode("  ", false))).isZero();
      assertThat(matcher.accept(smolLm.encode(" ", false))).isOne();
    }
    try (var matcher = compiler.compile(new Constraint.JsonObject(JsonWhitespace.COMPACT))) {
      assertThat(matcher.accept(smolLm.encode("{", false))).isOne();
      assertThat(matcher.accept(smolLm.encode(" ", false))).isZero();
    }
  }

  @Test
  void endsAnObjectWhereItCloses() {
    try (var matcher = compiler.compile(new Constraint.JsonObject())) {
      var tokens = smolLm.encode("{\"a\": 1}", false);
      assertThat(matcher.accept(tokens)).isEqualTo(tokens.length);
      assertThat(matcher.isComplete()).isTrue();
      assertThat(RandomWalk.allowed(smolLm, matcher).stream().boxed())
          .containsExactlyElementsOf(smolLm.endOfGenerationIds());
    }
  }

  @Test
  void takesTheSchemasOrderOfProperties() {
    var schema =
        "{\"type\":\"object\",\"properties\":{\"b\":{},\"a\":{}},\"required\":[\"a\",\"b\"]}";
    try (var matcher = compiler.compile(new Constraint.JsonSchema(schema, true))) {
      assertThat(matcher.accept(smolLm.encode("{\"", false))).isPositive();
      assertThat(matcher.accept(smolLm.encode("a", false))).isZero();
      assertThat(matcher.accept(smolLm.encode("b", false))).isOne();
    }
  }
}
