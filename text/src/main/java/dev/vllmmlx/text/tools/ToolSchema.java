package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Constraint.JsonWhitespace;
import dev.vllmmlx.spi.Tool;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a tool's arguments may be.
 *
 * @param root a JSON Schema of an object; nothing is added to the properties that it declares
 * @param strict whether a keyword that cannot be kept is refused
 */
record ToolSchema(Map<String, Object> root, boolean strict) {
  private static final JsonMapper JSON = JsonMapper.shared();

  static ToolSchema of(Tool tool) {
    var root =
        new LinkedHashMap<String, Object>(tool.parameters().orElse(Map.of("properties", Map.of())));
    root.putIfAbsent("type", "object");
    // Where a schema composes others, these may declare properties, too.
    if (root.containsKey("properties")
        && Set.of("anyOf", "oneOf", "allOf", "$ref", "patternProperties").stream()
            .noneMatch(root::containsKey)) {
      root.putIfAbsent("additionalProperties", false);
    }
    return new ToolSchema(root, tool.strict());
  }

  /** All of the arguments as one JSON object. */
  Constraint json() {
    return new Constraint.JsonSchema(JSON.writeValueAsString(root), strict, JsonWhitespace.BOUNDED);
  }

  /** One of {@link #properties}, as JSON. Its references to the root's definitions hold. */
  Constraint json(Map<String, Object> property) {
    var schema = new LinkedHashMap<>(property);
    for (var definitions : List.of("$defs", "definitions")) {
      if (root.get(definitions) != null) {
        schema.putIfAbsent(definitions, root.get(definitions));
      }
    }
    return new Constraint.JsonSchema(
        JSON.writeValueAsString(schema), strict, JsonWhitespace.BOUNDED);
  }

  /** The declared properties in order. A property of any kind is an empty schema. */
  Map<String, Map<String, Object>> properties() {
    var properties = new LinkedHashMap<String, Map<String, Object>>();
    if (root.get("properties") instanceof Map<?, ?> map) {
      map.forEach((name, schema) -> properties.put((String) name, object(schema)));
    }
    return properties;
  }

  boolean isRequired(String property) {
    return root.get("required") instanceof List<?> names && names.contains(property);
  }

  /**
   * Whether a property is a text of any kind, or one of some texts: formats that write values
   * without quotes can write these as they are.
   */
  static boolean isText(Map<String, Object> property) {
    return "string".equals(property.get("type"))
        && Set.of("type", "title", "description", "default", "examples", "enum", "$comment")
            .containsAll(property.keySet())
        && (!(property.get("enum") instanceof List<?> texts)
            || (!texts.isEmpty() && texts.stream().allMatch(String.class::isInstance)));
  }

  /** Keywords of the root that formats which write one property after the other cannot keep. */
  List<String> unkept() {
    var kept =
        Set.of(
            "type",
            "properties",
            "required",
            "additionalProperties",
            "title",
            "description",
            "default",
            "examples",
            "$schema",
            "$id",
            "$defs",
            "definitions",
            "$comment");
    return root.keySet().stream().filter(keyword -> !kept.contains(keyword)).toList();
  }

  @SuppressWarnings("unchecked") // JSON objects have texts for keys.
  private static Map<String, Object> object(Object schema) {
    return schema instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
  }
}
