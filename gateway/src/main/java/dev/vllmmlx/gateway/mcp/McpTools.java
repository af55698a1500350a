package dev.vllmmlx.gateway.mcp;

import dev.vllmmlx.mcp.McpBridge;
import dev.vllmmlx.mcp.ToolSession;
import dev.vllmmlx.mcp.tool.ToolSelection;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

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

  /**
   * The tools that a chat gets.
   *
   * @param request its id, for the log
   * @param wanted as its field {@code mcp} says
   * @param taken names of the client's own tools, which stay the client's
   * @param timeout of the request, which its calls share
   * @throws ToolSelection.UnknownException if it wants what is not there
   */
  public ToolSession session(
      String request, ToolSelection wanted, Set<String> taken, Optional<Duration> timeout) {
    var selection = inMode(wanted);
    return timeout
        .map(left -> bridge.session(request, selection, taken, left))
        .orElseGet(() -> bridge.session(request, selection, taken));
  }

  private ToolSelection inMode(ToolSelection wanted) {
    return switch (wanted) {
      case ToolSelection.None none -> none;
      case ToolSelection.Some some ->
          switch (mode) {
            case AUTO -> some;
            case INJECT ->
                new ToolSelection.Some(
                    some.servers(), some.tools(), some.execute().or(() -> Optional.of(false)));
            case OFF -> new ToolSelection.None();
          };
    };
  }
}
