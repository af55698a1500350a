package dev.vllmmlx.text.schema;

import dev.vllmmlx.text.schema.SchemaCheck.Misfit;
import java.math.BigDecimal;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.StringNode;

/** One text against a schema and those in it. Used once. */
final class Evaluation {
  private static final int MOST_MISFITS = 5;

  /** Numbers are the same by their value. */
  private static final Comparator<JsonNode> BY_VALUE =
      (one, other) -> {
        if (one.isNumber() && other.isNumber()) {
          return one.decimalValue().compareTo(other.decimalValue());
        }
        return one.equals(other) ? 0 : 1;
      };

  private final JsonNode root;
  private final Work work = new Work();

  /** Up to draft 7 nothing counts beside a reference. */
  private final boolean referencesStandAlone;

  Evaluation(JsonNode root) {
    this.root = root;
    this.referencesStandAlone = root.path("$schema").asString("").contains("/draft-0");
  }

  private boolean fits(JsonNode value, JsonNode schema) {
    var misfits = new ArrayList<Misfit>();
    check(value, schema, "", misfits);
    return misfits.isEmpty();
  }

  /** Adds where {@code value}, at {@code path}, does not fit, until there are enough of them. */
  void check(JsonNode value, JsonNode schema, String path, List<Misfit> misfits) {
    work.step();
    if (misfits.size() >= MOST_MISFITS) {
      return;
    }
    if (schema.isBoolean()) {
      if (!schema.booleanValue()) {
        misfits.add(new Misfit(path, "false", "may not be there"));
      }
      return;
    }
    if (!schema.isObject()) {
      return;
    }
    var at = new Place(value, schema, path, misfits);
    if (referencesStandAlone && schema.path("$ref").isString()) {
      at.reference();
      return;
    }
    at.kind();
    if (value.isNumber()) {
      at.number();
    } else if (value.isString()) {
      at.text();
    } else if (value.isArray()) {
      at.items();
    } else if (value.isObject()) {
      at.properties();
    }
    at.composed();
  }

  /** A value and a schema for it. */
  private final class Place {
    private final JsonNode value;
    private final JsonNode schema;
    private final String path;
    private final List<Misfit> misfits;

    Place(JsonNode value, JsonNode schema, String path, List<Misfit> misfits) {
      this.value = value;
      this.schema = schema;
      this.path = path;
      this.misfits = misfits;
    }

    private void unless(boolean kept, String keyword, String message) {
      if (!kept && misfits.size() < MOST_MISFITS) {
        misfits.add(new Misfit(path, keyword, message));
      }
    }

    private JsonNode of(String keyword) {
      return schema.path(keyword);
    }

    private void inside(JsonNode inner, JsonNode innerSchema, String step) {
      check(inner, innerSchema, path + "/" + step.replace("~", "~0").replace("/", "~1"), misfits);
    }

    void kind() {
      var type = of("type");
      if (type.isString()) {
        unless(isA(type.stringValue()), "type", "must be of type " + type.stringValue());
      } else if (type.isArray()) {
        unless(
            type.valueStream().anyMatch(each -> isA(each.asString(""))),
            "type",
            "must be of a type of " + type);
      }
      if (schema.has("const")) {
        unless(same(value, of("const")), "const", "must be " + of("const"));
      }
      if (of("enum").isArray()) {
        unless(
            of("enum").valueStream().anyMatch(each -> same(value, each)),
            "enum",
            "must be one of " + of("enum"));
      }
    }

    private boolean isA(String type) {
      return switch (type) {
        case "object" -> value.isObject();
        case "array" -> value.isArray();
        case "string" -> value.isString();
        case "boolean" -> value.isBoolean();
        case "null" -> value.isNull();
        case "number" -> value.isNumber();
        case "integer" ->
            value.isNumber() && value.decimalValue().stripTrailingZeros().scale() <= 0;
        default -> true;
      };
    }

    private boolean same(JsonNode one, JsonNode other) {
      work.step();
      return one.equals(BY_VALUE, other);
    }

    void number() {
      var number = value.decimalValue();
      limit("minimum", least -> number.compareTo(least) >= 0, "at least");
      limit("maximum", most -> number.compareTo(most) <= 0, "at most");
      limit("exclusiveMinimum", least -> number.compareTo(least) > 0, "more than");
      limit("exclusiveMaximum", most -> number.compareTo(most) < 0, "less than");
      limit("multipleOf", unit -> unit.signum() == 0 || isMultiple(number, unit), "a multiple of");
    }

    /** Of numbers with exponents so large that they cannot be divided, nothing is said. */
    private static boolean isMultiple(BigDecimal number, BigDecimal unit) {
      return Math.abs((long) number.scale() - unit.scale()) > 1000
          || number.remainder(unit).signum() == 0;
    }

    private interface Limit {
      boolean holds(BigDecimal limit);
    }

    private void limit(String keyword, Limit limit, String must) {
      if (of(keyword).isNumber()) {
        unless(
            limit.holds(of(keyword).decimalValue()),
            keyword,
            "must be " + must + " " + of(keyword));
      }
    }

    private void count(String keyword, Limit limit, String must) {
      if (of(keyword).isNumber()) {
        unless(limit.holds(of(keyword).decimalValue()), keyword, must + " " + of(keyword));
      }
    }

    private void sized(int size, String what) {
      var count = BigDecimal.valueOf(size);
      count("min" + what, least -> count.compareTo(least) >= 0, "must have at least");
      count("max" + what, most -> count.compareTo(most) <= 0, "must have at most");
    }

    void text() {
      var text = value.stringValue();
      sized(text.codePointCount(0, text.length()), "Length");
      if (of("pattern").isString()) {
        unless(
            work.found(of("pattern").stringValue(), text),
            "pattern",
            "must match " + of("pattern").stringValue());
      }
    }

    void items() {
      sized(value.size(), "Items");
      // Older drafts have a list of schemas in items, and additionalItems behind it.
      boolean old = of("items").isArray();
      var first = old ? of("items") : of("prefixItems");
      var rest = old ? of("additionalItems") : of("items");
      for (int i = 0; i < value.size(); i++) {
        inside(value.get(i), i < first.size() ? first.get(i) : rest, String.valueOf(i));
      }
      if (of("uniqueItems").asBoolean(false)) {
        unless(areUnique(), "uniqueItems", "must not hold the same item twice");
      }
      if (schema.has("contains")) {
        var count =
            BigDecimal.valueOf(
                value.valueStream().filter(item -> fits(item, of("contains"))).count());
        if (!schema.has("minContains")) {
          unless(count.signum() > 0, "contains", "must hold an item of a certain kind");
        }
        count("minContains", least -> count.compareTo(least) >= 0, "must hold of a kind at least");
        count("maxContains", most -> count.compareTo(most) <= 0, "must hold of a kind at most");
      }
    }

    private boolean areUnique() {
      for (int i = 0; i < value.size(); i++) {
        for (int j = 0; j < i; j++) {
          if (same(value.get(i), value.get(j))) {
            return false;
          }
        }
      }
      return true;
    }

    void properties() {
      sized(value.size(), "Properties");
      for (var name : of("required")) {
        requireName(name, "required");
      }
      for (var property : value.properties()) {
        property(property.getKey(), property.getValue());
      }
      for (var keyword : List.of("dependentRequired", "dependentSchemas", "dependencies")) {
        for (var dependency : of(keyword).properties()) {
          if (value.has(dependency.getKey())) {
            depend(keyword, dependency.getValue());
          }
        }
      }
    }

    private void requireName(JsonNode name, String keyword) {
      unless(value.has(name.asString("")), keyword, "must have " + name);
    }

    private void property(String name, JsonNode inner) {
      boolean known = of("properties").has(name);
      if (known) {
        inside(inner, of("properties").get(name), name);
      }
      for (var pattern : of("patternProperties").properties()) {
        if (work.found(pattern.getKey(), name)) {
          known = true;
          inside(inner, pattern.getValue(), name);
        }
      }
      if (!known) {
        inside(inner, of("additionalProperties"), name);
      }
      if (schema.has("propertyNames")) {
        unless(
            fits(StringNode.valueOf(name), of("propertyNames")),
            "propertyNames",
            "may not have a property named \"" + name + "\"");
      }
    }

    private void depend(String keyword, JsonNode on) {
      if (on.isArray()) {
        on.forEach(name -> requireName(name, keyword));
      } else {
        check(value, on, path, misfits);
      }
    }

    void composed() {
      for (var each : of("allOf")) {
        check(value, each, path, misfits);
      }
      if (of("anyOf").isArray()) {
        unless(
            of("anyOf").valueStream().anyMatch(each -> fits(value, each)),
            "anyOf",
            "must fit one of several schemas");
      }
      if (of("oneOf").isArray()) {
        unless(
            of("oneOf").valueStream().filter(each -> fits(value, each)).limit(2).count() == 1,
            "oneOf",
            "must fit exactly one of several schemas");
      }
      if (schema.has("not")) {
        unless(!fits(value, of("not")), "not", "must not fit a certain schema");
      }
      if (schema.has("if")) {
        check(value, fits(value, of("if")) ? of("then") : of("else"), path, misfits);
      }
      if (of("$ref").isString()) {
        reference();
      }
    }

    void reference() {
      check(value, target(of("$ref").stringValue()), path, misfits);
    }

    private JsonNode target(String reference) {
      if (reference.equals("#")) {
        return root;
      }
      return reference.startsWith("#/") ? root.at(decoded(reference.substring(1))) : root.path("");
    }

    private static String decoded(String fragment) {
      return fragment.contains("%")
          ? URLDecoder.decode(fragment.replace("+", "%2B"), StandardCharsets.UTF_8)
          : fragment;
    }
  }
}
