package dev.vllmmlx.gateway.mcp;

import dev.vllmmlx.mcp.McpBridge;
import java.util.Objects;

/**
 * The MCP servers of a gateway. It neither starts nor closes the bridge.
 *
 * @param bridge to the servers
 * @param mode what chats get of them
 */
public record McpTools(McpBridge bridge, McpMode mode) {
  public McpTools {
    Objects.requireNonNull(bridge);
    Objects.requireNonNull(mode);
  }
}
