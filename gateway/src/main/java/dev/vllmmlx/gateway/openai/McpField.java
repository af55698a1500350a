package dev.vllmmlx.gateway.openai;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import dev.vllmmlx.mcp.config.NamePattern;
import dev.vllmmlx.mcp.tool.ToolSelection;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * The request field {@code mcp}: {@code false}, {@code true}, or {@code {"servers": [...], "tools":
 * [...], "execute": "auto" | "none"}}.
 */
public final class McpField {
  private static final Set<String> KEYS = Set.of("servers", "tools", "execute");

  private McpField() {}

  /**
   * What a request wants.
   *
   * @param field absent where the request does not have it
   * @throws ApiException naming the field at fault
   */
  public static ToolSelection read(Optional<JsonNode> field) {
    if (field.isEmpty()) {
      return ToolSelection.usual();
    }
    var node = field.get();
    if (node.isBoolean()) {
      return node.booleanValue() ? ToolSelection.usual() : new ToolSelection.None();
    }
    if (!node.isObject()) {
      throw invalid("mcp", "must be true, false or an object");
    }
    for (var name : node.propertyNames()) {
      if (!KEYS.contains(name)) {
        throw invalid("mcp." + name, "is not a key of mcp; servers, tools and execute are");
      }
    }
    return new ToolSelection.Some(
        texts(node, "servers"),
        texts(node, "tools").map(names -> names.stream().map(NamePattern::new).toList()),
        execute(node));
  }

  private static Optional<List<String>> texts(JsonNode mcp, String name) {
    var list = mcp.path(name);
    if (list.isMissingNode() || list.isNull()) {
      return Optional.empty();
    }
    if (!list.isArray()) {
      throw invalid("mcp." + name, "must be a list of names");
    }
    var texts = new ArrayList<String>();
    for (var item : list) {
      if (!item.isString() || item.stringValue().isEmpty()) {
        throw invalid("mcp.%s[%d]".formatted(name, texts.size()), "must be a name");
      }
      texts.add(item.stringValue());
    }
    return Optional.of(texts);
  }

  private static Optional<Boolean> execute(JsonNode mcp) {
    var execute = mcp.path("execute");
    if (execute.isMissingNode() || execute.isNull()) {
      return Optional.empty();
    }
    return Optional.of(
        switch (execute.asString("")) {
          case "auto" -> true;
          case "none" -> false;
          default -> throw invalid("mcp.execute", "must be \"auto\" or \"none\"");
        });
  }

  private static ApiException invalid(String field, String message) {
    return new ApiException(ApiError.invalid(field, field + " " + message));
  }
}
