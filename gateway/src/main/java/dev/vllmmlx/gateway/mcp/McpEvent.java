package dev.vllmmlx.gateway.mcp;

import dev.vllmmlx.mcp.connection.ProgressListener;
import dev.vllmmlx.mcp.tool.McpTool;
import dev.vllmmlx.mcp.tool.ToolOutcome;
import dev.vllmmlx.spi.Message;
import java.time.Duration;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What clients are told of a call that is run here, in {@code mcp_events}. */
public sealed interface McpEvent {

  /** The round it belongs to, from 1. */
  int round();

  /** The call, by the id and name of the conversation. */
  Message.ToolCall call();

  /** It is run from now on. */
  record Called(int round, Message.ToolCall call, McpTool tool) implements McpEvent {}

  /** Its server says how far it is. */
  record Progressed(int round, Message.ToolCall call, ProgressListener.Progress progress)
      implements McpEvent {}

  /** It is over. */
  record Ended(int round, Message.ToolCall call, McpTool tool, ToolOutcome outcome, Duration took)
      implements McpEvent {}

  /** As it stands in a reply. */
  default ObjectNode describe() {
    var node = JsonNodeFactory.instance.objectNode();
    node.put("type", type());
    node.put("round", round());
    node.put("tool_call_id", call().id());
    node.put("tool_name", call().function());
    switch (this) {
      case Called called ->
          node.put("server", called.tool().server()).put("arguments", call().arguments());
      case Progressed progressed -> {
        node.put("progress", progressed.progress().done());
        progressed.progress().total().ifPresent(total -> node.put("total", total));
        progressed.progress().message().ifPresent(message -> node.put("message", message));
      }
      case Ended ended ->
          node.setAll(McpNodes.outcome(ended.tool(), ended.outcome(), ended.took()));
    }
    return node;
  }

  private String type() {
    return switch (this) {
      case Called _ -> "tool_call";
      case Progressed _ -> "tool_progress";
      case Ended _ -> "tool_result";
    };
  }
}
