package dev.vllmmlx.text.tokenizer;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A token that is looked for in the text itself, before it is split.
 *
 * @param id its id, or -1 where the file it comes from gives none
 * @param special whether decoding may skip it
 */
record AddedToken(
    int id,
    String content,
    boolean singleWord,
    boolean lstrip,
    boolean rstrip,
    boolean normalized,
    boolean special) {

  /**
   * @param json an object with {@code content} and flags, as tokenizer.json and
   *     tokenizer_config.json have it
   */
  static AddedToken of(JsonNode json, int id) {
    var special = json.path("special").asBoolean(false);
    return new AddedToken(
        id,
        json.path("content").asString(""),
        json.path("single_word").asBoolean(false),
        json.path("lstrip").asBoolean(false),
        json.path("rstrip").asBoolean(false),
        json.path("normalized").asBoolean(!special),
        special);
  }

  /** A special token of which only the text is known. */
  static AddedToken special(int id, String content) {
    return new AddedToken(id, content, false, false, false, false, true);
  }

  /** A token that is text like any other, only never split. */
  static AddedToken plain(int id, String content) {
    return new AddedToken(id, content, false, false, false, false, false);
  }

  AddedToken withId(int other) {
    return new AddedToken(other, content, singleWord, lstrip, rstrip, normalized, special);
  }

  ObjectNode toJson() {
    return Vocabulary.JSON
        .createObjectNode()
        .put("id", id)
        .put("content", content)
        .put("single_word", singleWord)
        .put("lstrip", lstrip)
        .put("rstrip", rstrip)
        .put("normalized", normalized)
        .put("special", special);
  }
}
