package dev.vllmmlx.text.schema;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Holds finished texts against one JSON Schema. Keywords are those of draft 2020-12 and what older
 * drafts had in their place. Not looked at: {@code format}, {@code unevaluatedProperties} and
 * {@code unevaluatedItems}, references to anything but a place in the schema itself, and patterns
 * that Java does not know. Immutable; any number of threads may share one.
 */
public final class SchemaCheck {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final JsonNode schema;

  private SchemaCheck(JsonNode schema) {
    this.schema = schema;
  }

  /**
   * Where a text does not fit.
   *
   * @param path into the text, as a JSON pointer
   * @param keyword of the schema
   * @param message in a few words
   */
  public record Misfit(String path, String keyword, String message) {}

  /**
   * @param schema JSON text
   * @throws IllegalArgumentException if it is no JSON
   */
  public static SchemaCheck of(String schema) {
    try {
      return new SchemaCheck(JSON.readTree(schema));
    } catch (JacksonException e) {
      throw new IllegalArgumentException("no JSON: " + e.getOriginalMessage(), e);
    }
  }

  /**
   * The first misfits; empty where the text fits. A text that takes too much work is said not to
   * have been checked, as a misfit without a keyword.
   */
  public List<Misfit> check(String text) {
    JsonNode value;
    try {
      value = JSON.readTree(text);
    } catch (JacksonException e) {
      return List.of(new Misfit("", "", "is no JSON: " + e.getOriginalMessage()));
    }
    var misfits = new ArrayList<Misfit>();
    try {
      new Evaluation(schema).check(value, schema, "", misfits);
    } catch (Work.TooMuch | StackOverflowError e) {
      misfits.add(new Misfit("", "", "takes too much work to be checked as a whole"));
    }
    return misfits;
  }
}
