package dev.vllmmlx.text.grammar;

import java.math.BigInteger;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * What compiling a JSON Schema will cost, estimated before: the native compiler counts its steps,
 * and a step can copy a schema of any size, or compare two regular expressions. One unit is about a
 * microsecond at most.
 *
 * <p>A {@code $ref} that stands alone is compiled once for all its uses. Where it has to be merged
 * with something, its target is copied; a chain of such copies doubles at every link.
 */
final class SchemaCost {
  private static final long MOST = 2_000_000;

  /** For a schema that says nothing costly, and for a copy of one. */
  private static final long SCHEMA = 60;

  private static final long COPY = 6;

  private static final long REFERENCE = 100;

  /** For a value of a constant that is no text. */
  private static final long VALUE = 60;

  /** For a text of a constant, and for some of its characters. */
  private static final long TEXT = 10;

  private static final long CHARACTERS = 3;

  /** For telling whether two patterns of names overlap. */
  private static final long PATTERN_PAIR = 200;

  /** How many pairs of options are told apart in one unit. */
  private static final long OPTION_PAIRS = 10;

  private static final Set<String> MERGES = Set.of("allOf", "anyOf", "oneOf", "$ref");
  private static final Set<String> SAY_NOTHING =
      Set.of("$defs", "definitions", "title", "description", "$comment", "default", "examples");
  private static final Set<String> CONSTANTS = Set.of("const", "enum");
  private static final Set<String> HOLD_MAPS = Set.of("properties", "patternProperties");

  /** No model's context holds more characters or items than this. */
  private static final long LONGEST = 1_000_000;

  private static final Set<String> LEASTS = Set.of("minItems", "minLength", "minProperties");

  /** For a state of the automaton that counts remainders, one for each value. */
  private static final long REMAINDER = 30;

  /** A row of properties is looked at once for each that may be absent, so many at a time. */
  private static final long PROPERTIES = 5;

  /** Likewise for each that is there in any case. */
  private static final long REQUIRED = 25;

  /** Of the automaton that patterns of one string make together: times four for each. */
  private static final long PATTERNS = 600;

  /**
   * @param nodes how large a copy is
   * @param work how long making it takes
   * @param patterns how many patterns one string has to match at once
   */
  private record Cost(long nodes, long work, int patterns) {
    static final Cost ONE = new Cost(1, 1, 0);

    /** Beside each other in one schema, or within it. */
    Cost plus(Cost other) {
      return new Cost(capped(nodes + other.nodes), capped(work + other.work), patterns);
    }

    /** For the same string. */
    Cost plusPatterns(int more) {
      return new Cost(nodes, work, patterns + more);
    }

    Cost plusWork(long more) {
      return new Cost(nodes, capped(work + more), patterns);
    }

    Cost withPatternsAsWork() {
      return plusWork(patterns < 2 ? 0 : PATTERNS << 2 * Math.min(patterns, 20));
    }

    private static long capped(long value) {
      return Math.min(value, MOST * 1000);
    }
  }

  private final JsonNode root;

  /** By JSON pointer; one being computed counts as one, for a reference that leads back to it. */
  private final Map<String, Cost> targets = new HashMap<>();

  private SchemaCost(JsonNode root) {
    this.root = root;
  }

  /**
   * @throws ConstraintException.TooLarge when it is more than anyone should wait for
   */
  static void check(JsonNode root) {
    if (estimate(root) > MOST) {
      throw new ConstraintException.TooLarge(
          "the schema becomes too large when its references and alternatives are merged");
    }
  }

  /** In units; more than {@link #MOST} is not exact. */
  static long estimate(JsonNode root) {
    var cost = new SchemaCost(root);
    var total = cost.of(root, false);
    for (var kind : Set.of("$defs", "definitions")) {
      for (var entry : root.path(kind).properties()) {
        total = total.plus(cost.of(entry.getValue(), false));
      }
    }
    return Math.max(total.nodes(), total.work());
  }

  /**
   * @param merged whether it is merged with something beside it, which copies what it refers to
   */
  private Cost of(JsonNode schema, boolean merged) {
    if (!schema.isObject()) {
      return Cost.ONE;
    }
    for (var least : LEASTS) {
      if (schema.path(least).isNumber() && schema.get(least).doubleValue() >= LONGEST) {
        throw new ConstraintException.TooLarge(
            "%s is %s: no answer is that long".formatted(least, schema.get(least)));
      }
    }
    if (schema.path("pattern").isString()) {
      RegexSize.check(schema.get("pattern").stringValue());
    }
    schema.path("patternProperties").propertyNames().forEach(RegexSize::check);
    var cost =
        Cost.ONE
            .plusWork(merged ? COPY : SCHEMA)
            .plusWork(properties(schema))
            .plusWork(remainders(schema.path("multipleOf")) * REMAINDER)
            .plusPatterns(schema.has("pattern") || schema.has("format") ? 1 : 0);
    var parts = schema.propertyNames().stream().filter(key -> !SAY_NOTHING.contains(key)).count();
    var options = 1L;
    for (var entry : schema.properties()) {
      var key = entry.getKey();
      var value = entry.getValue();
      if (CONSTANTS.contains(key)) {
        cost = cost.plusWork(constant(value));
      } else if (key.equals("$ref")) {
        var target = merged || parts > 1 ? target(value.asString("")) : Cost.ONE;
        cost = cost.plus(target).plusPatterns(target.patterns()).plusWork(merged ? 0 : REFERENCE);
      } else if (MERGES.contains(key) && value.isArray()) {
        var inner = merged || parts > 1 || (key.equals("allOf") && value.size() > 1);
        var sum = Cost.ONE;
        var all = 0;
        var most = 0;
        for (var option : value) {
          var each = of(option, inner);
          sum = sum.plus(each);
          all += each.patterns();
          most = Math.max(most, each.patterns());
        }
        cost = cost.plus(sum).plusPatterns(key.equals("allOf") ? all : most);
        if (!key.equals("allOf")) {
          options = Math.min(options * Math.max(1, value.size()), MOST);
        } else {
          options = Math.min(options * alternatives(value), MOST);
        }
        if (key.equals("oneOf")) {
          var pairs = (long) value.size() * value.size() / 2;
          cost =
              cost.plusWork(
                  pairs
                      / OPTION_PAIRS
                      * Math.max(1, sum.nodes() / (4L * Math.max(1, value.size()))));
        }
      } else if (HOLD_MAPS.contains(key)) {
        for (var inner : value.properties()) {
          cost =
              cost.plus(of(inner.getValue(), merged))
                  .plusWork(inner.getKey().length() / CHARACTERS);
        }
        if (key.equals("patternProperties")) {
          var patterns = (long) value.size();
          cost = cost.plusWork(patterns * (patterns - 1) / 2 * PATTERN_PAIR);
        }
      } else if (value.isObject()) {
        cost = SAY_NOTHING.contains(key) ? cost : cost.plus(of(value, merged));
      } else if (value.isArray()) {
        for (var item : value) {
          cost = item.isObject() ? cost.plus(of(item, merged)) : cost.plusWork(1);
        }
      }
    }
    // Alternatives beside each other are multiplied out.
    return options > 1
        ? cost.plusWork(options * (parts > 1 ? cost.nodes() : 1)).withPatternsAsWork()
        : cost.withPatternsAsWork();
  }

  private static long properties(JsonNode schema) {
    var properties = schema.path("properties");
    var required = new HashSet<String>();
    schema.path("required").forEach(name -> required.add(name.asString("")));
    var all = properties.size() + required.stream().filter(name -> !properties.has(name)).count();
    var optional =
        properties.propertyNames().stream().filter(name -> !required.contains(name)).count();
    return optional * all / PROPERTIES + all * all / REQUIRED;
  }

  /** Of a value that is written as it stands. */
  private static long constant(JsonNode value) {
    if (value.isString()) {
      return TEXT + value.stringValue().length() / CHARACTERS;
    }
    var cost = VALUE;
    for (var entry : value.properties()) {
      cost += TEXT + entry.getKey().length() / CHARACTERS + constant(entry.getValue());
    }
    for (var i = 0; i < (value.isArray() ? value.size() : 0); i++) {
      cost += constant(value.get(i));
    }
    return cost;
  }

  /** How many remainders there are to tell apart: 0.25 has 25 of them, 1000 has one. */
  private static long remainders(JsonNode multipleOf) {
    return multipleOf.isNumber()
        ? multipleOf
            .decimalValue()
            .stripTrailingZeros()
            .unscaledValue()
            .abs()
            .min(BigInteger.valueOf(MOST))
            .longValue()
        : 0;
  }

  /** How many alternatives the parts of an {@code allOf} make when they are multiplied out. */
  private static long alternatives(JsonNode parts) {
    var product = 1L;
    for (var part : parts) {
      for (var key : Set.of("anyOf", "oneOf")) {
        product = Math.min(product * Math.max(1, part.path(key).size()), MOST);
      }
    }
    return product;
  }

  private Cost target(String reference) {
    if (!reference.startsWith("#")) {
      return Cost.ONE;
    }
    var known = targets.get(reference);
    if (known != null) {
      return known;
    }
    targets.put(reference, Cost.ONE);
    var pointer = reference.substring(1);
    JsonNode schema =
        pointer.isEmpty() ? root : pointer.startsWith("/") ? root.at(pointer) : root.path("");
    var cost = of(schema, true);
    targets.put(reference, cost);
    return cost;
  }
}
