package dev.vllmmlx.mcp.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.BiFunction;
import tools.jackson.databind.JsonNode;

/**
 * An object of the file. It knows its place, for errors, and what of it was asked for, so that the
 * rest can be warned about. Null counts as absent.
 */
final class ConfigObject {
  private static final double LONGEST_SECONDS = 24 * 3600;

  private final JsonNode node;
  private final String place;
  private final Variables variables;
  private final Set<String> known = new LinkedHashSet<>();

  /**
   * @param place file and server, for messages
   * @throws McpConfigException if the node is no object
   */
  ConfigObject(JsonNode node, String place, Variables variables) {
    if (!node.isObject()) {
      throw new McpConfigException(place + ": must be an object, not " + kind(node));
    }
    this.node = node;
    this.place = place;
    this.variables = variables;
  }

  McpConfigException wrong(String key, String message) {
    return new McpConfigException("%s: %s: %s".formatted(place, key, message));
  }

  boolean has(String key) {
    return find(key).isPresent();
  }

  /** The object under a key, at a place of its own. */
  Optional<ConfigObject> object(String key) {
    return find(key)
        .map(value -> new ConfigObject(value, "%s: %s".formatted(place, key), variables));
  }

  /** The members of the object under a key, in order. */
  Map<String, JsonNode> members(String key) {
    var members = new LinkedHashMap<String, JsonNode>();
    find(key)
        .ifPresent(
            value -> {
              if (!value.isObject()) {
                throw wrong(key, "must be an object, not " + kind(value));
              }
              value.properties().forEach(entry -> members.put(entry.getKey(), entry.getValue()));
            });
    return members;
  }

  Optional<String> string(String key) {
    return find(key).map(value -> string(key, value));
  }

  /** Also of numbers and truth values. */
  Optional<List<String>> texts(String key) {
    return list(key, this::text);
  }

  Optional<List<NamePattern>> patterns(String key) {
    return list(key, (place, item) -> new NamePattern(string(place, item)));
  }

  private <T> Optional<List<T>> list(String key, BiFunction<String, JsonNode, T> item) {
    return find(key)
        .map(
            value -> {
              if (!value.isArray()) {
                throw wrong(key, "must be a list of strings, not " + kind(value));
              }
              var items = new ArrayList<T>();
              value.forEach(
                  each -> items.add(item.apply("%s[%d]".formatted(key, items.size()), each)));
              return items;
            });
  }

  /** Also of numbers and truth values. */
  Map<String, String> textsByName(String key) {
    var texts = new LinkedHashMap<String, String>();
    members(key).forEach((name, value) -> texts.put(name, text(key + "." + name, value)));
    return texts;
  }

  boolean bool(String key, boolean otherwise) {
    return find(key)
        .map(
            value -> {
              if (!value.isBoolean()) {
                throw wrong(key, "must be true or false, not " + kind(value));
              }
              return value.booleanValue();
            })
        .orElse(otherwise);
  }

  Optional<Duration> seconds(String key) {
    return find(key)
        .map(
            value -> {
              if (!value.isNumber()) {
                throw wrong(key, "must be a number of seconds, not " + kind(value));
              }
              var seconds = value.doubleValue();
              if (!(seconds > 0 && seconds <= LONGEST_SECONDS)) {
                throw wrong(
                    key, "must be above 0 and at most a day, in seconds, not " + value.asString());
              }
              return Duration.ofMillis(Math.max(1, Math.round(seconds * 1000)));
            });
  }

  OptionalInt count(String key) {
    var value = find(key);
    if (value.isEmpty()) {
      return OptionalInt.empty();
    }
    if (!value.get().isInt() || value.get().intValue() < 1) {
      throw wrong(key, "must be a whole number above 0, not " + kind(value.get()));
    }
    return OptionalInt.of(value.get().intValue());
  }

  /** A warning for each key that nobody asked for. */
  List<String> unknown() {
    var warnings = new ArrayList<String>();
    node.propertyNames().stream()
        .filter(key -> !known.contains(key))
        .forEach(key -> warnings.add("%s: %s is not known and ignored".formatted(place, key)));
    return warnings;
  }

  private Optional<JsonNode> find(String key) {
    known.add(key);
    return Optional.ofNullable(node.get(key)).filter(value -> !value.isNull());
  }

  private String string(String key, JsonNode value) {
    if (!value.isString()) {
      throw wrong(key, "must be a string, not " + kind(value));
    }
    return text(key, value);
  }

  // Numbers and truth values too: YAML writes ports and flags without quotes.
  private String text(String key, JsonNode value) {
    if (!value.isValueNode() || value.isNull()) {
      throw wrong(key, "must be a string, not " + kind(value));
    }
    try {
      return variables.expand(value.asString());
    } catch (Variables.Missing e) {
      throw new McpConfigException("%s: %s: %s".formatted(place, key, e.getMessage()), e);
    }
  }

  private static String kind(JsonNode value) {
    return switch (value.getNodeType()) {
      case ARRAY -> "a list";
      case OBJECT, POJO -> "an object";
      case STRING, BINARY -> "a string"; // Which may be a secret.
      case NULL, MISSING -> "null";
      case BOOLEAN, NUMBER -> value.asString();
    };
  }
}
