package dev.vllmmlx.spi;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A function that the model may call.
 *
 * @param name unique among the tools of a request
 * @param description what it does, for the model
 * @param parameters a JSON Schema of its arguments' object, as plain values of JSON's types in
 *     order
 * @param strict whether arguments must fit the schema
 */
public record Tool(
    String name,
    Optional<String> description,
    Optional<Map<String, Object>> parameters,
    boolean strict) {
  public Tool {
    Objects.requireNonNull(name);
    Objects.requireNonNull(description);
    parameters = parameters.map(JsonValues::copy);
  }
}
