package dev.vllmmlx.text.grammar;

import java.math.BigDecimal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * Where keywords stand in a JSON Schema: the native compiler names them and not their places. Walks
 * the schema through every keyword that holds schemas.
 */
final class SchemaKeywords {
  /** Keywords of the published drafts that masks do not keep. */
  static final Set<String> NOT_KEPT =
      Set.of(
          "not",
          "if",
          "then",
          "else",
          "contains",
          "minContains",
          "maxContains",
          "uniqueItems",
          "propertyNames",
          "dependencies",
          "dependentRequired",
          "dependentSchemas",
          "unevaluatedItems",
          "unevaluatedProperties",
          "$dynamicRef",
          "$dynamicAnchor",
          "$recursiveRef",
          "$recursiveAnchor",
          "contentSchema");

  private static final List<String> LOOK_AROUND = List.of("(?=", "(?!", "(?<=", "(?<!");

  private static final Set<String> HOLD_ONE =
      Set.of(
          "additionalItems",
          "additionalProperties",
          "contains",
          "contentSchema",
          "else",
          "if",
          "items",
          "not",
          "propertyNames",
          "then",
          "unevaluatedItems",
          "unevaluatedProperties");
  private static final Set<String> HOLD_LIST =
      Set.of("allOf", "anyOf", "items", "oneOf", "prefixItems");
  private static final Set<String> HOLD_MAP =
      Set.of(
          "$defs",
          "definitions",
          "dependencies",
          "dependentSchemas",
          "patternProperties",
          "properties");

  /** A schema within the schema, and where. */
  private record Place(JsonNode schema, String path) {}

  private final List<Place> places = new ArrayList<>();

  /**
   * @param root a schema, or anything else, which has no keywords
   */
  SchemaKeywords(JsonNode root) {
    var open = new ArrayDeque<Place>();
    open.add(new Place(root, ""));
    while (!open.isEmpty()) {
      var place = open.poll();
      if (place.schema().isObject()) {
        places.add(place);
        addInner(place, open);
      }
    }
  }

  private static void addInner(Place place, ArrayDeque<Place> open) {
    for (var entry : place.schema().properties()) {
      var path = place.path() + "/" + escaped(entry.getKey());
      var value = entry.getValue();
      if (HOLD_ONE.contains(entry.getKey()) && value.isObject()) {
        open.add(new Place(value, path));
      } else if (HOLD_LIST.contains(entry.getKey()) && value.isArray()) {
        for (var i = 0; i < value.size(); i++) {
          open.add(new Place(value.get(i), path + "/" + i));
        }
      } else if (HOLD_MAP.contains(entry.getKey()) && value.isObject()) {
        for (var inner : value.properties()) {
          open.add(new Place(inner.getValue(), path + "/" + escaped(inner.getKey())));
        }
      }
    }
  }

  /** The schema and every schema in it. */
  List<JsonNode> schemas() {
    return places.stream().map(Place::schema).toList();
  }

  /**
   * The native compiler keeps the numbers of constants as 64 bits: of more digits it would write
   * another number.
   *
   * @throws ConstraintException.Unsupported for a constant that holds such a number
   */
  void checkNumbers() {
    for (var place : places) {
      for (var keyword : List.of("const", "enum")) {
        if (holdsLongNumber(place.schema().path(keyword))) {
          throw new ConstraintException.Unsupported(
              keyword, place.path() + "/" + keyword, "a number in it has too many digits");
        }
      }
    }
  }

  private static boolean holdsLongNumber(JsonNode value) {
    if (!value.isNumber()) {
      return value.valueStream().anyMatch(SchemaKeywords::holdsLongNumber);
    }
    var exact = value.decimalValue();
    var nearest = exact.doubleValue();
    return !(value.isIntegralNumber() && value.canConvertToLong())
        && (Double.isInfinite(nearest)
            || new BigDecimal(Double.toString(nearest)).compareTo(exact) != 0);
  }

  /** The path of a {@code oneOf} whose options may overlap; of any where each looks well. */
  String overlappingOptions() {
    return places.stream()
        .filter(place -> mayOverlap(place.schema().path("oneOf")))
        .map(place -> place.path() + "/oneOf")
        .findFirst()
        .orElseGet(() -> pathOf("oneOf"));
  }

  private static boolean mayOverlap(JsonNode options) {
    var seen = new HashSet<String>();
    for (var option : options) {
      var type = option.path("type");
      var kinds = type.isString() ? List.of(type) : type.valueStream().toList();
      if (kinds.isEmpty()) {
        return true;
      }
      for (var kind : kinds) {
        var name = kind.asString("");
        if (!seen.add(name.equals("integer") ? "number" : name)) {
          return true;
        }
      }
    }
    return false;
  }

  private static String escaped(String name) {
    return name.replace("~", "~0").replace("/", "~1");
  }

  /** The path of the keyword nearest to the root; empty where there is none. */
  String pathOf(String keyword) {
    return places.stream()
        .filter(place -> place.schema().has(keyword))
        .map(place -> place.path() + "/" + escaped(keyword))
        .findFirst()
        .orElse("");
  }

  String pathOf(String keyword, String value) {
    return places.stream()
        .filter(place -> place.schema().path(keyword).asString("").equals(value))
        .map(place -> place.path() + "/" + escaped(keyword))
        .findFirst()
        .orElse("");
  }

  /** The path of a {@code $ref} that leads out of the schema. */
  String remoteReference() {
    var ids = new HashSet<String>();
    places.forEach(place -> ids.add(place.schema().path("$id").asString("")));
    return places.stream()
        .filter(place -> place.schema().path("$ref").isString())
        .filter(
            place -> {
              var target = place.schema().path("$ref").asString();
              return !target.startsWith("#") && !ids.contains(target);
            })
        .map(place -> place.path() + "/$ref")
        .findFirst()
        .orElse("");
  }

  /** Patterns that look around themselves or back, which no automaton does. */
  List<IgnoredKeyword> patternsNotKept() {
    return places.stream()
        .filter(place -> looksAround(place.schema()))
        .map(
            place ->
                new IgnoredKeyword(
                    "pattern",
                    place.path() + "/pattern",
                    "look-around and back-references are not supported"))
        .toList();
  }

  static boolean looksAround(JsonNode schema) {
    var pattern = schema.path("pattern").asString("");
    var inClass = false;
    for (var i = 0; i < pattern.length(); i++) {
      switch (pattern.charAt(i)) {
        case '\\' -> {
          i++;
          if (!inClass && i < pattern.length() && "123456789k".indexOf(pattern.charAt(i)) >= 0) {
            return true;
          }
        }
        case '[' -> inClass = true;
        case ']' -> inClass = false;
        case '(' -> {
          var at = i;
          if (!inClass && LOOK_AROUND.stream().anyMatch(mark -> pattern.startsWith(mark, at))) {
            return true;
          }
        }
        default -> {}
      }
    }
    return false;
  }

  /** What of the schema is left to a check of the finished text. */
  List<IgnoredKeyword> notKept() {
    var ignored = new ArrayList<IgnoredKeyword>();
    for (var place : places) {
      for (var entry : place.schema().properties()) {
        if (NOT_KEPT.contains(entry.getKey())) {
          ignored.add(
              new IgnoredKeyword(
                  entry.getKey(),
                  place.path() + "/" + escaped(entry.getKey()),
                  "it is not supported"));
        }
      }
    }
    return ignored;
  }

  /** What the native compiler's warnings add to that. */
  List<IgnoredKeyword> ignored(String warnings) {
    var ignored = new ArrayList<>(patternsNotKept());
    if (warnings.contains("Unimplemented keys")) {
      ignored.addAll(notKept());
    }
    if (warnings.contains("oneOf not fully supported")) {
      ignored.add(
          new IgnoredKeyword("oneOf", pathOf("oneOf"), "more than one option may be satisfied"));
    }
    for (var keyword : List.of("minProperties", "maxProperties")) {
      if (warnings.contains("min/maxProperties only supported") && !pathOf(keyword).isEmpty()) {
        ignored.add(
            new IgnoredKeyword(
                keyword, pathOf(keyword), "properties that may be absent are not counted"));
      }
    }
    for (var line : warnings.lines().toList()) {
      var at = line.indexOf("Unknown format: ");
      if (at >= 0) {
        var name = line.substring(at + "Unknown format: ".length()).replaceAll(" \\(.*\\)$", "");
        ignored.add(
            new IgnoredKeyword(
                "format", pathOf("format", name), "the format '%s' is not known".formatted(name)));
      }
    }
    return List.copyOf(ignored);
  }
}
