package dev.vllmmlx.text.tools;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Constraint.JsonWhitespace;
import dev.vllmmlx.spi.EngineException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes out a JSON Schema as what values may look like in a {@link Notation} that is not JSON.
 * What cannot be said so is left out, or refused where the tool is strict.
 */
final class NotationSchema {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final int DEEPEST_ANY = 2;
  private static final int DEEPEST = 24;
  private static final int MOST_ITEMS = 500;

  /** Of what is written out, which is each schema as often as it may stand in a text. */
  private static final int LARGEST = 20_000;

  private static final int SIZE_OF_ANY = 20;

  private static final Set<String> NOTES =
      Set.of(
          "title",
          "description",
          "default",
          "examples",
          "$comment",
          "$schema",
          "$id",
          "$defs",
          "definitions",
          "deprecated",
          "readOnly",
          "writeOnly");
  private static final Set<String> OF_NUMBERS =
      Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf");
  private static final Set<String> OF_TEXTS = Set.of("minLength", "maxLength", "pattern", "format");
  private static final Set<String> OF_LISTS = Set.of("items", "minItems", "maxItems");
  private static final Set<String> OF_OBJECTS =
      Set.of("properties", "required", "additionalProperties");
  private static final List<String> TYPES =
      List.of("object", "array", "string", "number", "integer", "boolean", "null");

  private final Notation notation;
  private final String function;
  private final boolean strict;
  private final ObjectNode root;
  private final Set<String> leftOut = new LinkedHashSet<>();
  private long size;

  /** How often what is being written stands in the whole. */
  private long times = 1;

  private NotationSchema(Notation notation, String function, ToolSchema schema) {
    this.notation = notation;
    this.function = function;
    this.strict = schema.strict();
    this.root = JSON.valueToTree(schema.root());
  }

  /**
   * The arguments of a call without what stands around them.
   *
   * @param keyEnd stands behind an argument's name, which has no quotes
   * @throws EngineException.InvalidRequest if the tool is strict and a keyword cannot be kept
   */
  static Constraint arguments(Notation notation, String keyEnd, String function, ToolSchema tool) {
    var schema = new NotationSchema(notation, function, tool);
    var options = new ArrayList<Constraint>();
    for (var option : schema.options(schema.root, 0)) {
      options.add(schema.members(option, true, keyEnd, 0));
    }
    schema.check();
    return either(options);
  }

  private void check() {
    if (strict && !leftOut.isEmpty()) {
      throw ToolSchema.refusal(
          function,
          "this model does not write arguments as JSON, so that %s cannot be kept"
              .formatted(String.join(", ", leftOut)));
    }
  }

  private void count(int more) {
    size += more * times;
    if (size > LARGEST) {
      throw ToolSchema.refusal(
          function, "the schema is too large where arguments are not written as JSON");
    }
  }

  /**
   * A value of an inner schema, or any where there is none. It will stand so many times where it
   * stands once now.
   */
  private Constraint inner(JsonNode schema, int depth, int more) {
    var outer = times;
    times *= more;
    var written = schema instanceof ObjectNode object ? value(object, depth) : any();
    times = outer;
    return written;
  }

  private Constraint value(ObjectNode schema, int depth) {
    var options = new ArrayList<Constraint>();
    for (var option : options(schema, depth)) {
      options.add(plain(option, depth));
    }
    return either(options);
  }

  /** The schema, or the alternatives it is made of, references followed and all of it in each. */
  private List<ObjectNode> options(ObjectNode schema, int depth) {
    count(1);
    if (depth > DEEPEST) {
      leftOut.add("$ref (it contains itself)");
      return List.of(JSON.createObjectNode());
    }
    if (schema.path("$ref").isString()) {
      var target = resolved(schema.path("$ref").stringValue());
      return target == null ? List.of(without(schema, "$ref")) : options(target, depth + 1);
    }
    for (var keyword : List.of("anyOf", "oneOf")) {
      if (schema.path(keyword).isArray() && !schema.path(keyword).isEmpty()) {
        var options = new ArrayList<ObjectNode>();
        for (var option : schema.path(keyword)) {
          if (option.isObject()) {
            options.addAll(options(merged(without(schema, keyword), option), depth + 1));
          }
        }
        return options;
      }
    }
    return List.of(schema);
  }

  /** What an option says goes before what stands beside the options; both name properties. */
  private static ObjectNode merged(ObjectNode schema, JsonNode option) {
    var required = JSON.createArrayNode();
    var properties = JSON.createObjectNode();
    for (var each : List.of(schema, option)) {
      each.path("required").forEach(required::add);
      if (each.path("properties") instanceof ObjectNode declared) {
        properties.setAll(declared);
      }
    }
    schema.setAll((ObjectNode) option);
    if (!required.isEmpty()) {
      schema.set("required", required);
    }
    if (!properties.isEmpty()) {
      schema.set("properties", properties);
    }
    return schema;
  }

  private ObjectNode resolved(String reference) {
    if (reference.startsWith("#/") && root.at(reference.substring(1)) instanceof ObjectNode found) {
      return found;
    }
    leftOut.add("$ref");
    return null;
  }

  private static ObjectNode without(ObjectNode schema, String keyword) {
    var copy = schema.deepCopy();
    copy.remove(keyword);
    return copy;
  }

  private Constraint plain(ObjectNode schema, int depth) {
    if (schema.has("const")) {
      return constant(schema.path("const"));
    }
    if (schema.path("enum").isArray() && !schema.path("enum").isEmpty()) {
      return either(schema.path("enum").valueStream().map(this::constant).toList());
    }
    var types = types(schema);
    var known = new LinkedHashSet<>(NOTES);
    known.addAll(Set.of("type", "enum", "const"));
    known.addAll(OF_NUMBERS);
    known.addAll(OF_TEXTS);
    known.addAll(OF_LISTS);
    known.addAll(OF_OBJECTS);
    schema.propertyNames().stream().filter(name -> !known.contains(name)).forEach(leftOut::add);
    return types.isEmpty()
        ? any()
        : either(types.stream().map(type -> ofType(type, schema, depth)).toList());
  }

  /** What {@code type} says, or what the other keywords are about; empty if anything may be. */
  private static List<String> types(ObjectNode schema) {
    var type = schema.path("type");
    if (type.isString()) {
      return List.of(type.stringValue());
    }
    if (type.isArray()) {
      return type.valueStream().map(JsonNode::asString).toList();
    }
    var found = new ArrayList<String>();
    var names = schema.propertyNames();
    for (var each :
        Map.of("object", OF_OBJECTS, "array", OF_LISTS, "number", OF_NUMBERS, "string", OF_TEXTS)
            .entrySet()) {
      if (each.getValue().stream().anyMatch(names::contains)) {
        found.add(each.getKey());
      }
    }
    return found;
  }

  private Constraint ofType(String type, ObjectNode schema, int depth) {
    return switch (type) {
      case "object" ->
          Constraint.Sequence.of(
              new Constraint.Text("{"),
              members(schema, notation.bareKeys(), notation.colon(), depth),
              new Constraint.Text("}"));
      case "array" -> list(schema, depth);
      case "string" -> text(schema);
      case "number", "integer" -> json(type, schema, OF_NUMBERS);
      case "boolean" -> word("true", "false");
      case "null" -> word("null");
      default ->
          throw ToolSchema.refusal(
              function,
              "no type is \"%s\", there are %s".formatted(type, String.join(", ", TYPES)));
    };
  }

  private Constraint word(String... json) {
    var words = new ArrayList<String>();
    for (var each : json) {
      words.addAll(notation.words().get(each));
    }
    return new Constraint.Choice(words);
  }

  private Constraint json(String type, ObjectNode schema, Set<String> keywords) {
    var kept = new LinkedHashMap<String, Object>();
    kept.put("type", type);
    schema.properties().stream()
        .filter(member -> keywords.contains(member.getKey()))
        .forEach(member -> kept.put(member.getKey(), member.getValue()));
    return new Constraint.JsonSchema(JSON.writeValueAsString(kept), strict, JsonWhitespace.COMPACT);
  }

  private Constraint text(ObjectNode schema) {
    if (notation.escapes()) {
      return json("string", schema, OF_TEXTS);
    }
    OF_TEXTS.stream().filter(schema::has).forEach(leftOut::add);
    var quote = notation.quotes().getFirst();
    return Constraint.Sequence.of(new Constraint.Text(quote), new Constraint.Until(quote));
  }

  private Constraint constant(JsonNode value) {
    return new Constraint.Text(notation.written(value));
  }

  private Constraint list(ObjectNode schema, int depth) {
    var min = (int) schema.path("minItems").asDouble(0);
    var max = (int) schema.path("maxItems").asDouble(-1);
    if (min > MOST_ITEMS || max > MOST_ITEMS) {
      throw ToolSchema.refusal(
          function, "minItems and maxItems may be %d at most".formatted(MOST_ITEMS));
    }
    var item = inner(schema.path("items"), depth + 1, 2);
    return Constraint.Sequence.of(
        new Constraint.Text("["), repeated(item, min, max), new Constraint.Text("]"));
  }

  private Constraint repeated(Constraint item, int min, int max) {
    if (max == 0) {
      return new Constraint.Text("");
    }
    var more =
        new Constraint.Repeat(
            Constraint.Sequence.of(new Constraint.Text(notation.comma()), item),
            Math.max(0, min - 1),
            max < 0 ? -1 : max - 1);
    var some = Constraint.Sequence.of(item, more);
    return min > 0 ? some : new Constraint.Repeat(some, 0, 1);
  }

  /** An object's members in the schema's order, and only those that it declares. */
  private Constraint members(ObjectNode schema, boolean bareKeys, String keyEnd, int depth) {
    schema.propertyNames().stream()
        .filter(name -> !OF_OBJECTS.contains(name) && !NOTES.contains(name) && !name.equals("type"))
        .filter(name -> !OF_LISTS.contains(name) && !OF_NUMBERS.contains(name))
        .filter(name -> !OF_TEXTS.contains(name))
        .forEach(leftOut::add);
    var required = schema.path("required").valueStream().map(JsonNode::asString).toList();
    var properties = properties(schema, required);
    if (!properties.isEmpty()) {
      var members = new ArrayList<Constraint>();
      var must = new ArrayList<Boolean>();
      for (var property : properties.properties()) {
        // Behind each of those before it that may be the first.
        var beginnings = 1 + (must.contains(true) ? must.indexOf(true) : must.size());
        var value = inner(property.getValue(), depth + 1, beginnings);
        members.add(
            Constraint.Sequence.of(
                new Constraint.Text(key(property.getKey(), bareKeys) + keyEnd), value));
        must.add(required.contains(property.getKey()));
      }
      return inOrder(members, must);
    }
    if (schema.path("additionalProperties").isBoolean()
        && !schema.path("additionalProperties").booleanValue()) {
      return new Constraint.Text("");
    }
    var value = inner(schema.path("additionalProperties"), depth + 1, 2);
    return free(value, bareKeys, keyEnd);
  }

  /** Those declared, and those that must be there besides. */
  private ObjectNode properties(ObjectNode schema, List<String> required) {
    var all = JSON.createObjectNode();
    if (schema.path("properties") instanceof ObjectNode declared) {
      all.setAll(declared);
    }
    var others = schema.path("additionalProperties");
    for (var name : required) {
      if (!all.has(name)) {
        if (others.isBoolean() && !others.booleanValue()) {
          throw ToolSchema.refusal(function, ToolSchema.impossible(name));
        }
        all.set(name, others.isObject() ? others : JSON.createObjectNode());
      }
    }
    return all;
  }

  private String key(String name, boolean bare) {
    return bare ? name : JSON.writeValueAsString(name);
  }

  /** Those that must be there and any of the others, with commas between. */
  private Constraint inOrder(List<Constraint> members, List<Boolean> must) {
    var beginnings = new ArrayList<Constraint>();
    for (int first = 0; first < members.size(); first++) {
      var parts = new ArrayList<Constraint>();
      parts.add(members.get(first));
      for (int i = first + 1; i < members.size(); i++) {
        var next = Constraint.Sequence.of(new Constraint.Text(notation.comma()), members.get(i));
        parts.add(must.get(i) ? next : new Constraint.Repeat(next, 0, 1));
      }
      beginnings.add(new Constraint.Sequence(parts));
      if (must.get(first)) {
        return either(beginnings);
      }
    }
    beginnings.add(new Constraint.Text(""));
    return either(beginnings);
  }

  private Constraint free(Constraint value, boolean bareKeys, String keyEnd) {
    var key =
        bareKeys
            ? new Constraint.Regex("[A-Za-z_][A-Za-z0-9_]{0,40}")
            : json("string", JSON.createObjectNode(), Set.of());
    return repeated(Constraint.Sequence.of(key, new Constraint.Text(keyEnd), value), 0, -1);
  }

  private Constraint any() {
    count(SIZE_OF_ANY);
    return any(DEEPEST_ANY);
  }

  /** Any value, lists and objects in it so deep at most. */
  private Constraint any(int deep) {
    var options = new ArrayList<Constraint>();
    options.add(text(JSON.createObjectNode()));
    options.add(json("number", JSON.createObjectNode(), Set.of()));
    options.add(word("true", "false", "null"));
    if (deep > 0) {
      var inner = any(deep - 1);
      options.add(
          Constraint.Sequence.of(
              new Constraint.Text("["), repeated(inner, 0, -1), new Constraint.Text("]")));
      options.add(
          Constraint.Sequence.of(
              new Constraint.Text("{"),
              free(inner, notation.bareKeys(), notation.colon()),
              new Constraint.Text("}")));
    }
    return either(options);
  }

  private static Constraint either(List<Constraint> options) {
    return options.size() == 1 ? options.getFirst() : new Constraint.Either(options);
  }
}
