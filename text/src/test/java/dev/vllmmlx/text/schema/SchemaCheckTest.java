package dev.vllmmlx.text.schema;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.InputFormat;
import dev.vllmmlx.text.IndependentValidator;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SchemaCheckTest {
  private static final List<String> TEXTS =
      List.of(
          "null",
          "true",
          "0",
          "1.0",
          "3",
          "7.5",
          "-2",
          "\"\"",
          "\"abc\"",
          "\"\uD83D\uDE00\"",
          "[]",
          "[1, 1.0]",
          "[1, 2, 3]",
          "[\"a\", 2, null]",
          "{}",
          "{\"a\": 1}",
          "{\"a\": \"x\", \"b\": [1]}",
          "{\"a\": {\"a\": {\"a\": 3}}, \"xb\": 3}",
          "{\"b\": 2, \"c\": 3, \"d\": 4}");

  /** Judged like an independent validator. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "true",
        "false",
        "{'type':'integer'}",
        "{'type':['string','null']}",
        "{'enum':[1,'abc',[1,2,3],{'a':1}]}",
        "{'const':3.0}",
        "{'minimum':1,'maximum':7.5}",
        "{'exclusiveMinimum':1,'exclusiveMaximum':7.5}",
        "{'multipleOf':0.5}",
        "{'multipleOf':3}",
        "{'minLength':1,'maxLength':2}",
        "{'pattern':'^a|b$'}",
        "{'minItems':1,'maxItems':2}",
        "{'uniqueItems':true}",
        "{'items':{'type':'number'}}",
        "{'prefixItems':[{'type':'string'}],'items':{'type':'integer'}}",
        "{'contains':{'const':2}}",
        "{'contains':{'type':'integer'},'minContains':2,'maxContains':2}",
        "{'required':['a','b']}",
        "{'minProperties':1,'maxProperties':2}",
        "{'properties':{'a':{'type':'integer'}},'additionalProperties':false}",
        "{'patternProperties':{'b$':{'type':'integer'}},'additionalProperties':{'type':'string'}}",
        "{'propertyNames':{'maxLength':1}}",
        "{'dependentRequired':{'a':['b']}}",
        "{'dependentSchemas':{'a':{'required':['xb']}}}",
        "{'allOf':[{'type':'object'},{'required':['a']}]}",
        "{'anyOf':[{'type':'string'},{'minimum':3}]}",
        "{'oneOf':[{'type':'number'},{'minimum':3}]}",
        "{'not':{'type':'object'}}",
        "{'if':{'type':'number'},'then':{'minimum':1},'else':{'type':'object'}}",
        "{'if':{'required':['b']},'else':false}",
        "{'$defs':{'n/a':{'anyOf':[{'type':'integer'},{'$ref':'#/$defs/o'}]},"
            + "'o':{'type':'object','properties':{'a':{'$ref':'#/$defs/n~1a'}}}},"
            + "'$ref':'#/$defs/o','minProperties':1}"
      })
  void saysWhatAValidatorSays(String quoted) {
    var schema = quoted.replace('\'', '"');
    var validator = IndependentValidator.of(schema);
    var check = SchemaCheck.of(schema);
    for (var text : TEXTS) {
      assertThat(check.check(text).isEmpty())
          .as("%s of %s", text, schema)
          .isEqualTo(validator.validate(text, InputFormat.JSON).isEmpty());
    }
  }

  @Test
  void saysWhereAndWhy() {
    var check = SchemaCheck.of("{\"properties\":{\"a/b\":{\"items\":{\"not\":{\"const\":1}}}}}");
    assertThat(check.check("{\"a/b\": [0, 1]}"))
        .containsExactly(new SchemaCheck.Misfit("/a~1b/1", "not", "must not fit a certain schema"));
    assertThat(check.check("{\"a/b\":").getFirst().message()).startsWith("is no JSON");
  }

  @Test
  void nothingCountsBesideAReferenceUpToDraft7() {
    var schema = "{%s\"definitions\":{\"a\":{}},\"$ref\":\"#/definitions/a\",\"type\":\"string\"}";
    var old = "\"$schema\":\"http://json-schema.org/draft-07/schema#\",";
    assertThat(SchemaCheck.of(schema.formatted(old)).check("1")).isEmpty();
    assertThat(SchemaCheck.of(schema.formatted("")).check("1")).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'pattern':'(a|aa)+\\\\1c$'}",
        "{'$defs':{'a':{'anyOf':[{'$ref':'#/$defs/a'}]}},'$ref':'#/$defs/a'}",
        "{'$defs':{'a':{'allOf':[{'not':{'$ref':'#/$defs/b'}},{'not':{'$ref':'#/$defs/b'}}]},"
            + "'b':{'allOf':[{'not':{'not':{'$ref':'#/$defs/a'}}}]}},'$ref':'#/$defs/a'}"
      })
  void whatWouldTakeForEverIsGivenUp(String quoted) {
    var check = SchemaCheck.of(quoted.replace('\'', '"'));
    var misfits =
        Assertions.assertTimeoutPreemptively(
            Duration.ofSeconds(20), () -> check.check("\"" + "a".repeat(60) + "b\""));
    assertThat(misfits).extracting(SchemaCheck.Misfit::message).last().asString().contains("work");
  }
}
