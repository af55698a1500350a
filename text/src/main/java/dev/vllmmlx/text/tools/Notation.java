package dev.vllmmlx.text.tools;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * How a format writes values that are JSON's and look otherwise.
 *
 * @param quotes what may stand around texts; the first is what the constraint and {@link #written}
 *     use
 * @param escapes whether a backslash in a text begins an escape, as in Python; else nothing does,
 *     and a text cannot hold its quote
 * @param words the words for true, false and null, by those; the first of each is the usual one
 * @param bareKeys whether an object's keys stand without quotes
 * @param comma stands between values, as a model writes it
 * @param colon stands behind an object's key, as a model writes it
 */
record Notation(
    List<String> quotes,
    boolean escapes,
    Map<String, List<String>> words,
    boolean bareKeys,
    String comma,
    String colon) {
  private static final JsonMapper JSON = JsonMapper.shared();

  /** Python's literals; models mix them with JSON's words. */
  static final Notation PYTHON =
      new Notation(
          List.of("\"", "'"),
          true,
          Map.of(
              "true", List.of("True", "true"),
              "false", List.of("False", "false"),
              "null", List.of("None", "null")),
          false,
          ", ",
          ": ");

  /** Gemma's own: {@code {key:<escape>text<escape>,n:[1,2]}}, with a special token for a quote. */
  static Notation gemma(String quote) {
    return new Notation(
        List.of(quote),
        false,
        Map.of("true", List.of("true"), "false", List.of("false"), "null", List.of("null")),
        true,
        ",",
        ":");
  }

  /** A value as it is written. */
  String written(JsonNode value) {
    if (value.isString()) {
      return text(value.stringValue());
    }
    if (value.isArray()) {
      return value.valueStream().map(this::written).collect(Collectors.joining(comma, "[", "]"));
    }
    if (value.isObject()) {
      return "{" + members(value, bareKeys, colon) + "}";
    }
    var json = value.toString();
    return words.containsKey(json) ? words.get(json).getFirst() : json;
  }

  /** An object's members without what stands around them. */
  String members(JsonNode object, boolean bareKeys, String colon) {
    return object.properties().stream()
        .map(
            member ->
                (bareKeys ? member.getKey() : text(member.getKey()))
                    + colon
                    + written(member.getValue()))
        .collect(Collectors.joining(comma));
  }

  private String text(String text) {
    return escapes ? JSON.writeValueAsString(text) : quotes.getFirst() + text + quotes.getFirst();
  }
}
