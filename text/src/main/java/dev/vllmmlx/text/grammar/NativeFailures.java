package dev.vllmmlx.text.grammar;

import java.util.List;
import java.util.regex.Pattern;

/** What the native compiler's messages mean. */
final class NativeFailures {
  private static final Pattern UNIMPLEMENTED = Pattern.compile("Unimplemented keys: \\[(.*?)]");
  private static final Pattern QUOTED = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"");
  private static final Pattern FORMAT = Pattern.compile("Unknown format: (.*)");

  /** Words in messages of limits that were met. */
  private static final List<String> LIMITS =
      List.of(
          "too large",
          "too big",
          "too complex",
          "too many",
          "limit",
          "exceeded",
          "exceeds",
          "fuel",
          "Unable to determine if regex is empty");

  private NativeFailures() {}

  static ConstraintException of(Native.Failure failure, SchemaKeywords keywords) {
    var message = firstLine(failure);
    var unimplemented = UNIMPLEMENTED.matcher(message);
    if (unimplemented.find()) {
      var quoted = QUOTED.matcher(unimplemented.group(1));
      var keyword = quoted.find() ? quoted.group(1) : unimplemented.group(1);
      return unsupported(keyword, keywords.pathOf(keyword), "it is not supported");
    }
    var format = FORMAT.matcher(message);
    if (format.find()) {
      return unsupported(
          "format",
          keywords.pathOf("format", format.group(1)),
          "the format '%s' is not known".formatted(format.group(1)));
    }
    if (isOfOneOf(failure)) {
      return unsupported(
          "oneOf", keywords.overlappingOptions(), "its options may overlap; use anyOf");
    }
    if (message.contains("min/maxProperties only supported")) {
      var keyword = keywords.pathOf("minProperties").isEmpty() ? "maxProperties" : "minProperties";
      return unsupported(
          keyword, keywords.pathOf(keyword), "properties that may be absent are not counted");
    }
    if (message.contains("patternProperty regexes")) {
      return unsupported(
          "patternProperties",
          keywords.pathOf("patternProperties"),
          "its patterns may match the same name");
    }
    if (message.contains("circular references with sibling keys")) {
      return unsupported(
          "$ref", keywords.pathOf("$ref"), "it has keywords beside it and leads back to itself");
    }
    if (message.contains("does not fetch resources") || message.contains("retrieving it failed")) {
      return unsupported(
          "$ref",
          keywords.remoteReference(),
          "nothing outside the schema is read: write it under $defs");
    }
    if (message.contains("Unsatisfiable schema")) {
      return new ConstraintException.Unsatisfiable("nothing satisfies the schema: " + message);
    }
    if (LIMITS.stream().anyMatch(message::contains)) {
      return new ConstraintException.TooLarge("the constraint is too complex: " + message);
    }
    return new ConstraintException.Invalid("the constraint is not valid: " + message);
  }

  static boolean isOfOneOf(Native.Failure failure) {
    return failure.getMessage().contains("oneOf constraints are not supported");
  }

  /** Of the mask at a text's start, or of what is forced there. */
  static ConstraintException ofFirstStep(Native.Failure failure) {
    var message = firstLine(failure);
    return message.startsWith("NoExtension")
        ? new ConstraintException.Unsatisfiable("no text satisfies the constraint")
        : new ConstraintException.TooLarge("the constraint is too complex: " + message);
  }

  private static ConstraintException unsupported(String keyword, String path, String why) {
    return new ConstraintException.Unsupported(keyword, path, why);
  }

  /** The message without the library's notes on itself, and not at length. */
  static String firstLine(Native.Failure failure) {
    var message = failure.getMessage();
    for (var note : List.of("<state>", "<non-verbose/>", "<backtrace>")) {
      var at = message.indexOf(note);
      message = at < 0 ? message : message.substring(0, at);
    }
    message = message.strip();
    return message.length() <= 400 ? message : message.substring(0, 400) + "...";
  }
}
