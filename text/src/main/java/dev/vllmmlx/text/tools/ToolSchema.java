package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Constraint.JsonWhitespace;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.Tool;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  /** Keywords of an object that formats which write one property after the other can keep. */
  private static final Set<String> KEPT =
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

  static ToolSchema of(Tool tool) {
    var root =
        new LinkedHashMap<String, Object>(tool.parameters().orElse(Map.of("properties", Map.of())));
    root.putIfAbsent("type", "object");
    // Where a schema composes others, these may declare properties, too.
    if (root.get("properties") instanceof Map<?, ?> declared
        && declared.keySet().containsAll(names(root.get("required")))
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

  /**
   * The properties in order: those that the root declares, those of the schemas that it composes,
   * and those that it requires besides. One of any kind is an empty schema.
   */
  Map<String, Map<String, Object>> properties() {
    var properties = declared();
    required().forEach(name -> properties.putIfAbsent(name, others().orElse(Map.of())));
    return properties;
  }

  private Map<String, Map<String, Object>> declared() {
    var properties = new LinkedHashMap<String, Map<String, Object>>();
    for (var schema : composed()) {
      if (schema.get("properties") instanceof Map<?, ?> map) {
        map.forEach(
            (name, property) ->
                properties.merge((String) name, object(property), ToolSchema::either));
      }
    }
    return properties;
  }

  private static Map<String, Object> either(Map<String, Object> one, Map<String, Object> other) {
    return one.equals(other) ? one : Map.of("anyOf", List.of(one, other));
  }

  /** What a property may be that {@link #properties} has not; empty if there may be none. */
  Optional<Map<String, Object>> others() {
    return Boolean.FALSE.equals(root.get("additionalProperties"))
        ? Optional.empty()
        : Optional.of(object(root.get("additionalProperties")));
  }

  /** The properties that must be there whatever else is. */
  Set<String> required() {
    var required = new LinkedHashSet<String>();
    var all = new ArrayList<Map<String, Object>>();
    addTogether(root, all, identities());
    all.forEach(schema -> required.addAll(names(schema.get("required"))));
    return required;
  }

  /** Why there are no arguments that fit; empty where none is seen. */
  Optional<String> impossible() {
    var declared = declared();
    return others().isPresent() || root.containsKey("patternProperties")
        ? Optional.empty()
        : required().stream()
            .filter(name -> !declared.containsKey(name))
            .map(ToolSchema::impossible)
            .findFirst();
  }

  /** Of a tool whose parameters cannot be kept in the model's way of writing calls. */
  static EngineException refusal(String function, String why) {
    return new EngineException.InvalidRequest(
        "tools", "parameters of %s: %s".formatted(function, why));
  }

  static String impossible(String required) {
    return "nothing satisfies /required: \"%s\" is not among the properties, and additionalProperties is false"
        .formatted(required);
  }

  /** The root and all that it refers to or is composed of. */
  private List<Map<String, Object>> composed() {
    var all = new ArrayList<Map<String, Object>>();
    var seen = identities();
    addTogether(root, all, seen);
    for (var schema : List.copyOf(all)) {
      for (var keyword : List.of("anyOf", "oneOf")) {
        schemas(schema.get(keyword)).forEach(option -> addTogether(option, all, seen));
      }
    }
    return all;
  }

  /** A schema and those that hold with it, each once: they may refer to one another in circles. */
  private void addTogether(
      Map<String, Object> schema, List<Map<String, Object>> all, Set<Map<String, Object>> seen) {
    if (seen.add(schema)) {
      all.add(schema);
      referred(schema).ifPresent(target -> addTogether(target, all, seen));
      schemas(schema.get("allOf")).forEach(each -> addTogether(each, all, seen));
    }
  }

  private static Set<Map<String, Object>> identities() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }

  private Optional<Map<String, Object>> referred(Map<String, Object> schema) {
    if (schema.get("$ref") instanceof String reference) {
      for (var definitions : List.of("$defs", "definitions")) {
        var prefix = "#/" + definitions + "/";
        if (reference.startsWith(prefix)
            && object(root.get(definitions)).get(reference.substring(prefix.length()))
                instanceof Map<?, ?> target) {
          return Optional.of(object(target));
        }
      }
    }
    return Optional.empty();
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
    var unkept = new ArrayList<String>();
    var seen = identities();
    var schema = Optional.of(root);
    while (schema.isPresent() && seen.add(schema.get())) {
      var target = referred(schema.get());
      for (var keyword : schema.get().keySet()) {
        if (!KEPT.contains(keyword) && !(keyword.equals("$ref") && target.isPresent())) {
          unkept.add(keyword);
        }
      }
      schema = target;
    }
    return unkept;
  }

  private static List<String> names(Object required) {
    return required instanceof List<?> list
        ? list.stream().filter(String.class::isInstance).map(String.class::cast).toList()
        : List.of();
  }

  private static List<Map<String, Object>> schemas(Object list) {
    return list instanceof List<?> schemas
        ? schemas.stream().map(ToolSchema::object).toList()
        : List.of();
  }

  @SuppressWarnings("unchecked") // JSON objects have texts for keys.
  private static Map<String, Object> object(Object schema) {
    return schema instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
  }
}
