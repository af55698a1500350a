package dev.vllmmlx.text.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.vllmmlx.spi.Constraint;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What cannot be kept is named, with its place. */
class ConstraintErrorsTest {
  private static ConstraintCompiler compiler;

  @BeforeAll
  static void open() {
    compiler = ConstraintCompiler.of(Vocabularies.small("llama3"));
  }

  @AfterAll
  static void close() {
    compiler.close();
  }

  private static void compile(Constraint constraint) {
    compiler.compile(constraint).close();
  }

  private static final String UNSUPPORTED =
      """
      {"properties":{"a":{"not":{}}}}                                    | not               | /properties/a/not
      {"items":{"uniqueItems":true}}                                     | uniqueItems       | /items/uniqueItems
      {"anyOf":[{},{"contains":{}}]}                                     | contains          | /anyOf/1/contains
      {"$ref":"#/$defs/x~1y","$defs":{"x/y":{"dependentRequired":{}}}}   | dependentRequired | /$defs/x~1y/dependentRequired
      {"additionalProperties":{"propertyNames":{}}}                      | propertyNames     | /additionalProperties/propertyNames
      {"type":"string","format":"frobnicated"}                           | format            | /format
      {"oneOf":[{"type":"integer"},{"type":"number"}]}                   | oneOf             | /oneOf
      {"properties":{"a":{},"b":{}},"maxProperties":1}                   | maxProperties     | /maxProperties
      {"patternProperties":{"^a":{},"b$":{}}}                            | patternProperties | /patternProperties
      {"properties":{"a":{"const":[12345678901234567890123]}}}           | const             | /properties/a/const
      {"items":{"enum":[1, 0.1234567890123456789]}}                      | enum              | /items/enum
      {"properties":{"a":{"pattern":"^(?!x)[a-z]+$"}}}                   | pattern           | /properties/a/pattern
      {"items":{"pattern":"([ab])\\\\1"}}                                 | pattern           | /items/pattern
      """;

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = UNSUPPORTED)
  void namesAKeywordAndItsPlace(String schema, String keyword, String path) {
    assertThatThrownBy(() -> compile(new Constraint.JsonSchema(schema, true)))
        .asInstanceOf(type(ConstraintException.Unsupported.class))
        .satisfies(
            failure -> {
              assertThat(failure.keyword()).isEqualTo(keyword);
              assertThat(failure.path()).isEqualTo(path);
              assertThat(failure).hasMessageContaining(keyword).hasMessageContaining(path);
            });
  }

  @Test
  void leavesKeywordsOutWhenTheSchemaIsNotStrict() {
    var schema =
        """
        {"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"},"uniqueItems":true},
          "b":{"type":"string","format":"frobnicated","not":{"const":"x"}},
          "c":{"oneOf":[{"type":"integer"},{"type":"number"}]},
          "d":{"type":"string","pattern":"^(?!x)[a-z]+$"}},"required":["a","b","c"]}""";
    try (var matcher = compiler.compile(new Constraint.JsonSchema(schema, false))) {
      assertThat(matcher.ignored())
          .extracting(IgnoredKeyword::path)
          .containsExactlyInAnyOrder(
              "/properties/a/uniqueItems",
              "/properties/b/format",
              "/properties/b/not",
              "/properties/c/oneOf",
              "/properties/d/pattern");
    }
    try (var matcher =
        compiler.compile(new Constraint.JsonSchema("{\"type\":\"object\"}", false))) {
      assertThat(matcher.ignored()).isEmpty();
    }
  }

  @Test
  void takesNoOptionsFromTheSchema() {
    var schema = "{\"not\":{},\"x-guidance\":{\"lenient\":true,\"whitespace_pattern\":\"[ ]*\"}}";
    assertThatThrownBy(() -> compile(new Constraint.JsonSchema(schema, true)))
        .isInstanceOf(ConstraintException.Unsupported.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[]",
        "7",
        "{\"type\":\"frob\"}",
        "{\"type\":7}",
        "{\"$ref\":\"#/nowhere\"}",
        "{\"properties\":[]}",
        "{\"type\":\"string\",\"pattern\":\"(\"}",
        "{} {}"
      })
  void refusesWhatIsNoSchema(String schema) {
    assertThatThrownBy(() -> compile(new Constraint.JsonSchema(schema, true)))
        .isInstanceOf(ConstraintException.Invalid.class)
        .message()
        .hasSizeLessThan(600);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "false",
        "{\"type\":\"string\",\"minLength\":3,\"maxLength\":2}",
        "{\"allOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}",
        "{\"type\":\"integer\",\"minimum\":5,\"maximum\":4}",
        "{\"enum\":[]}"
      })
  void refusesWhatNothingSatisfies(String schema) {
    assertThatThrownBy(() -> compile(new Constraint.JsonSchema(schema, true)))
        .isInstanceOf(ConstraintException.Unsatisfiable.class);
  }

  @Test
  void refusesBadRegexesGrammarsAndChoices() {
    for (var constraint :
        List.of(
            new Constraint.Regex("(a"),
            new Constraint.Regex("a(?=b)"),
            new Constraint.Regex("a\\"),
            new Constraint.Grammar("start: missing"),
            new Constraint.Grammar("root: \"a\""),
            new Constraint.Grammar(""),
            new Constraint.Grammar("start: \"unclosed"),
            new Constraint.Choice(List.of()))) {
      assertThatThrownBy(() -> compile(constraint))
          .as(constraint.toString())
          .isInstanceOf(ConstraintException.Invalid.class);
    }
  }
}
