package dev.vllmmlx.gateway.mcp;

import dev.vllmmlx.mcp.connection.ServerItem;
import dev.vllmmlx.mcp.connection.ServerState;
import dev.vllmmlx.mcp.connection.ServerStatus;
import dev.vllmmlx.mcp.tool.McpTool;
import dev.vllmmlx.mcp.tool.ToolOutcome;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Servers, tools and calls as clients see them. */
public final class McpNodes {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final JsonMapper MAPPER = JsonMapper.builder().build();
  // What a tool without a schema takes, in OpenAI's words.
  private static final Map<String, Object> ANY_OBJECT =
      Map.of("type", "object", "properties", Map.of());

  private McpNodes() {}

  /** All servers, in the configuration's order. */
  public static ObjectNode servers(McpTools mcp) {
    var body = list();
    var data = (ArrayNode) body.get("data");
    mcp.bridge().servers().forEach(server -> describe(data.addObject(), server, mcp));
    return body;
  }

  private static void describe(ObjectNode node, ServerStatus server, McpTools mcp) {
    node.put("name", server.name());
    node.put("transport", server.type());
    node.put("state", server.state().text());
    node.put("reason", server.reason().orElse(null));
    node.put("since", server.since().getEpochSecond());
    server.retryAt().ifPresent(at -> node.put("retry_at", at.getEpochSecond()));
    node.put("starts", server.starts());
    server
        .self()
        .ifPresent(
            self ->
                node.putObject("server_info")
                    .put("name", self.program())
                    .put("version", self.version())
                    .put("protocol", self.protocol()));
    var tools = node.putArray("tools");
    mcp.bridge().catalogue().tools().stream()
        .filter(tool -> tool.server().equals(server.name()))
        .forEach(tool -> tools.add(tool.name()));
    items(node.putArray("resources"), server.resources());
    items(node.putArray("prompts"), server.prompts());
  }

  private static void items(ArrayNode array, List<ServerItem> items) {
    for (var item : items) {
      array
          .addObject()
          .put("name", item.name())
          .put("description", item.description().orElse(null));
    }
  }

  /** The tools that can be called now, as a request's {@code tools} would list them. */
  public static ObjectNode tools(McpTools mcp) {
    var body = list();
    var data = (ArrayNode) body.get("data");
    mcp.bridge().catalogue().tools().forEach(tool -> describe(data.addObject(), tool));
    return body;
  }

  private static void describe(ObjectNode node, McpTool tool) {
    node.put("type", "function");
    var function = node.putObject("function").put("name", tool.name());
    tool.definition().description().ifPresent(text -> function.put("description", text));
    function.set(
        "parameters", MAPPER.valueToTree(tool.definition().parameters().orElse(ANY_OBJECT)));
    node.put("server", tool.server());
    node.put("server_tool", tool.serverTool());
  }

  /** How many servers are how, and what was called. */
  public static ObjectNode status(McpTools mcp) {
    var body = counts(mcp);
    body.put("max_tool_rounds", mcp.bridge().config().maxToolRounds());
    var calls = body.putArray("calls");
    for (var count : mcp.bridge().counts()) {
      calls
          .addObject()
          .put("tool", count.tool())
          .put("server", count.server())
          .put("calls", count.calls())
          .put("errors", count.errors())
          .put("seconds", count.seconds());
    }
    return body;
  }

  /** The short form, for {@code /health}. */
  public static ObjectNode counts(McpTools mcp) {
    var body = JSON.objectNode();
    body.put("mode", mcp.mode().text());
    var servers = body.putObject("servers");
    var states = mcp.bridge().servers().stream().map(ServerStatus::state).toList();
    servers.put("total", states.size());
    for (var state : ServerState.values()) {
      servers.put(state.text(), states.stream().filter(it -> it == state).count());
    }
    body.put("tools", mcp.bridge().catalogue().tools().size());
    return body;
  }

  /** What came of a call. */
  public static ObjectNode outcome(McpTool tool, ToolOutcome outcome, Duration took) {
    var body = JSON.objectNode();
    body.put("tool_name", tool.name());
    body.put("server", tool.server());
    body.put("content", outcome.text());
    body.put("is_error", outcome.isError());
    body.put("outcome", outcome.kind());
    if (outcome instanceof ToolOutcome.Result result) {
      body.put("truncated", result.truncated());
      result
          .structured()
          .ifPresent(value -> body.set("structured_content", MAPPER.valueToTree(value)));
    }
    body.put("seconds", took.toMillis() / 1000.0);
    return body;
  }

  private static ObjectNode list() {
    var body = JSON.objectNode();
    body.put("object", "list");
    body.putArray("data");
    return body;
  }
}
