package dev.vllmmlx.gateway.openai;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * The fields of one JSON object, read with their types and ranges. It remembers which were asked
 * for, so that none is ignored in silence. A field that is null counts as absent.
 */
final class Fields {
  private final JsonNode object;
  private final String path;
  private final Set<String> known = new HashSet<>();
  private final List<Fields> inner = new ArrayList<>();

  /**
   * @param path where the object stands, for messages: empty for the body, else {@code messages[2]}
   */
  Fields(JsonNode object, String path) {
    if (!object.isObject()) {
      throw invalid(
          path.isEmpty() ? null : path, "must be an object, and is " + kind(object), path);
    }
    this.object = object;
    this.path = path;
  }

  /** The path of a field of this object. */
  String path(String name) {
    return path.isEmpty() ? name : path + "." + name;
  }

  Optional<JsonNode> node(String name) {
    known.add(name);
    var value = object.get(name);
    return value == null || value.isNull() ? Optional.empty() : Optional.of(value);
  }

  boolean has(String name) {
    return node(name).isPresent();
  }

  Optional<String> text(String name) {
    return node(name)
        .map(
            value -> {
              if (!value.isString()) {
                throw wrongType(name, "a string", value);
              }
              return value.stringValue();
            });
  }

  String requiredText(String name) {
    return text(name).orElseThrow(() -> missing(name));
  }

  ApiException missing(String name) {
    return new ApiException(
        ApiError.invalid(
            path(name), path(name) + " is required and missing", "missing_required_parameter"));
  }

  boolean flag(String name, boolean byDefault) {
    var value = node(name);
    if (value.isEmpty()) {
      return byDefault;
    }
    if (!value.get().isBoolean()) {
      throw wrongType(name, "true or false", value.get());
    }
    return value.get().booleanValue();
  }

  OptionalInt integer(String name, int least, int most) {
    var value = wholeNumber(name, least, most);
    return value.isEmpty() ? OptionalInt.empty() : OptionalInt.of((int) value.getAsLong());
  }

  OptionalLong wholeNumber(String name, long least, long most) {
    var value = node(name);
    if (value.isEmpty()) {
      return OptionalLong.empty();
    }
    if (!value.get().isIntegralNumber()) {
      throw wrongType(name, "a whole number", value.get());
    }
    if (!value.get().canConvertToLong()
        || value.get().longValue() < least
        || value.get().longValue() > most) {
      throw outOfRange(name, "from %d to %d".formatted(least, most), value.get());
    }
    return OptionalLong.of(value.get().longValue());
  }

  /** A number in [least, most], or in (least, most] where the least itself is not allowed. */
  OptionalDouble number(String name, double least, boolean leastAllowed, double most) {
    var value = node(name);
    if (value.isEmpty()) {
      return OptionalDouble.empty();
    }
    if (!value.get().isNumber()) {
      throw wrongType(name, "a number", value.get());
    }
    var number = value.get().doubleValue();
    // As the float that engines see: 1e-60 is no more above 0 than 0 is.
    if (!(number <= most) || !(leastAllowed ? number >= least : (float) number > least)) {
      var range = (leastAllowed ? "from " : "above ") + plain(least);
      throw outOfRange(
          name, most == Float.MAX_VALUE ? range : range + " to " + plain(most), value.get());
    }
    return OptionalDouble.of(number);
  }

  Optional<JsonNode> list(String name) {
    return node(name)
        .map(
            value -> {
              if (!value.isArray()) {
                throw wrongType(name, "a list", value);
              }
              return value;
            });
  }

  Optional<Fields> object(String name) {
    return node(name).map(value -> inside(name, value));
  }

  /** An object inside this one; {@code name} may have an index: {@code content[0]}. */
  Fields inside(String name, JsonNode value) {
    var fields = new Fields(value, path(name));
    inner.add(fields);
    return fields;
  }

  /** A field that clients send and that changes nothing here by its nature. */
  void accept(String... names) {
    known.addAll(List.of(names));
  }

  /** A field that is known and not done here: refused unless it says what would happen anyway. */
  void refuseUnless(String name, String allowed, Predicate<JsonNode> harmless) {
    node(name)
        .filter(value -> !harmless.test(value))
        .ifPresent(
            value -> {
              throw new ApiException(
                  ApiError.unsupported(
                      path(name), "%s is not supported here%s".formatted(path(name), allowed)));
            });
  }

  /**
   * A field that is known and not done here, whatever it says; empty lists and objects say nothing.
   */
  void refuse(String... names) {
    for (var name : names) {
      refuseUnless(name, "", value -> value.isContainer() && value.isEmpty());
    }
  }

  /** Names that nobody asked for, in the order of the request; those of inner objects last. */
  List<String> unknown() {
    var unknown =
        object.propertyNames().stream().filter(name -> !known.contains(name)).map(this::path);
    return Stream.concat(unknown, inner.stream().flatMap(it -> it.unknown().stream())).toList();
  }

  ApiException wrongType(String name, String wanted, JsonNode got) {
    return new ApiException(
        ApiError.invalid(
            path(name),
            "%s must be %s, and is %s".formatted(path(name), wanted, kind(got)),
            "invalid_type"));
  }

  ApiException outOfRange(String name, String range, JsonNode got) {
    return new ApiException(
        ApiError.invalid(
            path(name),
            "%s must be %s, and is %s".formatted(path(name), range, shortened(got.toString()))));
  }

  ApiException invalid(String name, String message) {
    return invalid(path(name), message, path(name));
  }

  private static ApiException invalid(String field, String message, String subject) {
    return new ApiException(
        ApiError.invalid(field, (subject.isEmpty() ? "the body" : subject) + " " + message));
  }

  static String kind(JsonNode value) {
    if (value.isNull()) {
      return "null";
    }
    if (value.isString()) {
      return "a string";
    }
    if (value.isBoolean()) {
      return "true or false";
    }
    if (value.isIntegralNumber()) {
      return "a whole number";
    }
    if (value.isNumber()) {
      return "a number";
    }
    return value.isArray() ? "a list" : "an object";
  }

  private static String shortened(String text) {
    return text.length() <= 60 ? text : text.substring(0, 57) + "...";
  }

  private static String plain(double number) {
    return number == Math.rint(number) ? String.valueOf((long) number) : String.valueOf(number);
  }
}
