package dev.vllmmlx.mlx.model;

import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;

/**
 * Typed reading of a {@code config.json}, with errors that name the key. A key whose value is
 * {@code null} counts as absent, as in transformers.
 *
 * @param path where the object stands in the file, such as {@code rope_scaling}; empty for the
 *     whole
 */
public record ConfigJson(JsonNode node, String path) {

  /**
   * @throws ModelFormatException if it is no JSON object
   */
  public ConfigJson {
    if (!node.isObject()) {
      throw new ModelFormatException(
          (path.isEmpty() ? "config.json" : "config.json: " + path) + " is not a JSON object");
    }
  }

  /** Whether the key is there with a value other than null. */
  public boolean has(String key) {
    return node.hasNonNull(key);
  }

  /**
   * @throws ModelFormatException if the key is missing or no positive whole number
   */
  public int positiveInt(String key) {
    return optionalPositiveInt(key).orElseThrow(() -> missing(key));
  }

  /**
   * @throws ModelFormatException if the key is there and no positive whole number
   */
  public OptionalInt optionalPositiveInt(String key) {
    if (!has(key)) {
      return OptionalInt.empty();
    }
    var value = node.get(key);
    // 8192.0 is how some tools write a whole number.
    var whole =
        value.isNumber()
            && value.asDouble() == Math.rint(value.asDouble())
            && value.asDouble() >= 1
            && value.asDouble() <= Integer.MAX_VALUE;
    if (!whole) {
      throw wrong(key, "a positive whole number");
    }
    return OptionalInt.of((int) value.asDouble());
  }

  /**
   * @throws ModelFormatException if the key is missing or no finite number above zero
   */
  public double positiveNumber(String key) {
    if (!has(key)) {
      throw missing(key);
    }
    return positiveNumber(key, 0);
  }

  /**
   * @throws ModelFormatException if the key is there and no finite number above zero
   */
  public double positiveNumber(String key, double otherwise) {
    if (!has(key)) {
      return otherwise;
    }
    var value = node.get(key);
    if (!value.isNumber() || !(value.asDouble() > 0) || Double.isInfinite(value.asDouble())) {
      throw wrong(key, "a number above zero");
    }
    return value.asDouble();
  }

  /**
   * @throws ModelFormatException if the key is there and no true or false
   */
  public Optional<Boolean> optionalFlag(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    if (!node.get(key).isBoolean()) {
      throw wrong(key, "true or false");
    }
    return Optional.of(node.get(key).asBoolean());
  }

  /** The flag, or false where there is none. */
  public boolean flag(String key) {
    return optionalFlag(key).orElse(false);
  }

  /**
   * @throws ModelFormatException if the key is there and no text
   */
  public Optional<String> optionalText(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    if (!node.get(key).isString()) {
      throw wrong(key, "text");
    }
    return Optional.of(node.get(key).asString());
  }

  /**
   * @throws ModelFormatException if the key is there and no object
   */
  public Optional<ConfigJson> optionalObject(String key) {
    return has(key) ? Optional.of(new ConfigJson(node.get(key), qualified(key))) : Optional.empty();
  }

  /** Says that a key is missing. */
  public ModelFormatException missing(String key) {
    return new ModelFormatException("config.json: %s is missing".formatted(qualified(key)));
  }

  /** Says that a key's value is not what it should be. */
  public ModelFormatException wrong(String key, String expected) {
    return new ModelFormatException(
        "config.json: %s is %s, and must be %s".formatted(qualified(key), node.get(key), expected));
  }

  private String qualified(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }
}
