package dev.vllmmlx.text.grammar;

/**
 * A keyword of a JSON Schema that masks do not keep.
 *
 * @param path where it stands in the schema, as a JSON pointer; empty where that is not known
 * @param why in a few words
 */
public record IgnoredKeyword(String keyword, String path, String why) {}
