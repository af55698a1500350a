package dev.vllmmlx.text.grammar;

import dev.vllmmlx.spi.Constraint.JsonWhitespace;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A JSON Schema as llguidance reads it: itself, with that library's options under the root's {@code
 * x-guidance} (which are ours alone: what a client writes there is replaced).
 */
record JsonSchemaSource(ObjectNode schema, boolean strict) {
  static final JsonMapper JSON =
      JsonMapper.builder()
          // Numbers stay what they are written as.
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final String OPTIONS = "x-guidance";

  /** Between any two tokens of JSON, not more than once. */
  private static final String BOUNDED = "( |\\n {0,20})";

  private static final List<String> COUNTS =
      List.of(
          "minLength",
          "maxLength",
          "minItems",
          "maxItems",
          "minProperties",
          "maxProperties",
          "minContains",
          "maxContains");

  static JsonSchemaSource parse(String text, boolean strict) {
    JsonNode json;
    try {
      json = JSON.readTree(text);
    } catch (StreamConstraintsException e) {
      throw new ConstraintException.TooLarge(
          "the schema is too large: %s".formatted(e.getOriginalMessage()));
    } catch (JacksonException e) {
      throw new ConstraintException.Invalid(
          "the schema is no JSON: %s".formatted(e.getOriginalMessage()));
    }
    return switch (json) {
      case ObjectNode object -> new JsonSchemaSource(object, strict);
      case JsonNode bool when bool.isBoolean() && bool.asBoolean() ->
          new JsonSchemaSource(JSON.createObjectNode(), strict);
      case JsonNode bool when bool.isBoolean() ->
          throw new ConstraintException.Unsatisfiable("the schema is false: nothing satisfies it");
      default ->
          throw new ConstraintException.Invalid(
              "a schema is a JSON object, not " + json.getNodeType());
    };
  }

  static JsonSchemaSource anyObject() {
    return new JsonSchemaSource(JSON.createObjectNode().put("type", "object"), true);
  }

  ObjectNode withOptions(JsonWhitespace whitespace) {
    var copy = schema.deepCopy();
    copy.remove(OPTIONS);
    for (var inner : new SchemaKeywords(copy).schemas()) {
      writeCountsAsIntegers((ObjectNode) inner);
      if (!strict && SchemaKeywords.looksAround(inner)) {
        ((ObjectNode) inner).remove("pattern");
      }
    }
    var options = copy.putObject(OPTIONS);
    options.put("lenient", !strict);
    // As some models write what is not ASCII.
    options.put("json_allow_general_unicode_escapes", true);
    switch (whitespace) {
      case COMPACT -> options.put("whitespace_flexible", false);
      case BOUNDED -> options.put("whitespace_pattern", BOUNDED);
    }
    return copy;
  }

  /** To JSON Schema 2.0 is an integer, to the native compiler it is none. */
  private static void writeCountsAsIntegers(ObjectNode schema) {
    for (var keyword : COUNTS) {
      var count = schema.path(keyword).asDouble(-1);
      if (schema.path(keyword).isBigDecimal() && count == (int) count) {
        schema.put(keyword, (int) count);
      }
    }
  }
}
