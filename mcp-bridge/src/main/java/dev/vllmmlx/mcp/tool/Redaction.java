package dev.vllmmlx.mcp.tool;

import dev.vllmmlx.mcp.config.NamePattern;
import java.util.List;
import java.util.Locale;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/** Arguments as the log may show them: one line, without secrets, and not for ever. */
final class Redaction {
  private static final String HIDDEN = "***";
  private static final int LONGEST_VALUE = 200;
  private static final int LONGEST = 2_000;

  private final List<NamePattern> patterns;

  /**
   * @param patterns of members whose values are hidden, at any depth; case does not count
   */
  Redaction(List<NamePattern> patterns) {
    this.patterns =
        patterns.stream()
            .map(pattern -> new NamePattern(pattern.text().toLowerCase(Locale.ROOT)))
            .toList();
  }

  /** What may be shown of arguments. What is no JSON object is not shown at all. */
  String of(String arguments) {
    JsonNode node;
    try {
      node = JsonMapper.shared().readTree(arguments.isBlank() ? "{}" : arguments);
    } catch (JacksonException _) {
      node = null;
    }
    if (node == null || !node.isObject()) {
      return "(%d characters that are no JSON object)".formatted(arguments.length());
    }
    var text = shown(node).toString();
    return text.length() > LONGEST ? text.substring(0, LONGEST) + "..." : text;
  }

  private JsonNode shown(JsonNode node) {
    return switch (node) {
      case ObjectNode object -> {
        var copy = object.objectNode();
        object
            .properties()
            .forEach(
                member ->
                    copy.set(
                        member.getKey(),
                        isHidden(member.getKey())
                            ? copy.stringNode(HIDDEN)
                            : shown(member.getValue())));
        yield copy;
      }
      case ArrayNode array -> {
        var copy = array.arrayNode();
        array.forEach(item -> copy.add(shown(item)));
        yield copy;
      }
      case StringNode string when string.stringValue().length() > LONGEST_VALUE ->
          StringNode.valueOf(string.stringValue().substring(0, LONGEST_VALUE) + "...");
      default -> node;
    };
  }

  private boolean isHidden(String name) {
    var lower = name.toLowerCase(Locale.ROOT);
    return patterns.stream().anyMatch(pattern -> pattern.matches(lower));
  }
}
