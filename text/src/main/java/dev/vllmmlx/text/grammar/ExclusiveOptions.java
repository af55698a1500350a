package dev.vllmmlx.text.grammar;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Rewrites {@code oneOf} so that the native compiler sees what it asks for there: that no two
 * options can hold at once. What is valid stays exactly the same.
 *
 * <ul>
 *   <li>Options that are references say their target's type as well, which makes the compiler look
 *       at the target instead of giving up.
 *   <li>Options that each require one name of their own ("either a or b") say that the others'
 *       names are absent.
 * </ul>
 */
final class ExclusiveOptions {
  private static final Set<String> SAY_NOTHING =
      Set.of("title", "description", "$comment", "default", "examples");
  private static final int LONGEST_CHAIN = 10;

  private final JsonNode root;
  private boolean changed;

  private ExclusiveOptions(JsonNode root) {
    this.root = root;
  }

  /** The schema rewritten; empty where there is nothing to rewrite. */
  static Optional<ObjectNode> rewritten(ObjectNode schema) {
    var copy = schema.deepCopy();
    var rewriting = new ExclusiveOptions(schema);
    for (var place : new SchemaKeywords(copy).schemas()) {
      if (place.path("oneOf") instanceof ArrayNode options) {
        rewriting.rewrite(options);
      }
    }
    return rewriting.changed ? Optional.of(copy) : Optional.empty();
  }

  private void rewrite(ArrayNode options) {
    if (requireOneNameEach(options)) {
      var names =
          options
              .valueStream()
              .map(each -> each.path("required").path(0).asString())
              .collect(Collectors.toSet());
      for (var option : options) {
        excludeOthers((ObjectNode) option, names);
      }
      changed = true;
      return;
    }
    for (var i = 0; i < options.size(); i++) {
      if (options.get(i) instanceof ObjectNode option && isReference(option)) {
        var type = type(option, 0);
        if (!type.isMissingNode()) {
          // In this order: what stands before a reference is merged with its target.
          var typed = JsonSchemaSource.JSON.createObjectNode();
          typed.set("type", type);
          typed.set("$ref", option.get("$ref"));
          options.set(i, typed);
          changed = true;
        }
      }
    }
  }

  private static boolean requireOneNameEach(ArrayNode options) {
    var names = new HashSet<String>();
    for (var option : options) {
      var required = option.path("required");
      if (!option.isObject()
          || !saysOnly(option, "required")
          || required.size() != 1
          || !required.path(0).isString()
          || !names.add(required.path(0).asString())) {
        return false;
      }
    }
    return options.size() > 1;
  }

  private static void excludeOthers(ObjectNode option, Set<String> names) {
    var own = option.path("required").path(0).asString();
    option.put("type", "object");
    var properties = option.putObject("properties");
    names.stream()
        .filter(name -> !name.equals(own))
        .sorted()
        .forEach(name -> properties.put(name, false));
  }

  private static boolean isReference(JsonNode option) {
    return option.path("$ref").asString("").startsWith("#") && saysOnly(option, "$ref");
  }

  private static boolean saysOnly(JsonNode schema, String keyword) {
    return schema.propertyNames().stream()
        .allMatch(key -> key.equals(keyword) || SAY_NOTHING.contains(key));
  }

  /** The type that a reference's target declares; missing where it declares none. */
  private JsonNode type(JsonNode reference, int chain) {
    var pointer = reference.path("$ref").asString("").substring(1);
    var target =
        pointer.isEmpty() ? root : pointer.startsWith("/") ? root.at(pointer) : root.path("");
    if (isReference(target) && chain < LONGEST_CHAIN) {
      return type(target, chain + 1);
    }
    return target.path("type");
  }
}
