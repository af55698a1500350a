package dev.vllmmlx.gateway.openai;

import dev.vllmmlx.gateway.mcp.McpTools;
import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import dev.vllmmlx.mcp.ToolSession;
import dev.vllmmlx.mcp.tool.ToolSelection;
import dev.vllmmlx.spi.ModelInfo;
import dev.vllmmlx.spi.Tool;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tools of MCP servers that a chat gets.
 *
 * @param mcp absent where the server has none
 * @param requestId of the HTTP request, for the log
 * @param timeout that the calls of tools share with the rest
 */
record McpFields(Optional<McpTools> mcp, String requestId, Optional<Duration> timeout) {
  private static final Logger LOG = LoggerFactory.getLogger(McpFields.class);

  /**
   * @param declared the client's own tools, whose names stay the client's
   * @return absent if there are no tools
   */
  Optional<ToolSession> read(Fields fields, ModelInfo model, List<Tool> declared) {
    var field = fields.node("mcp");
    if (mcp.isEmpty()) {
      if (field.filter(it -> !it.isBoolean() || it.booleanValue()).isPresent()) {
        throw new ApiException(
            ApiError.unsupported("mcp", "mcp: this server runs without --mcp-config"));
      }
      return Optional.empty();
    }
    var names = declared.stream().map(Tool::name).collect(Collectors.toUnmodifiableSet());
    ToolSession session;
    try {
      session = mcp.get().session(requestId, McpField.read(field), names, timeout);
    } catch (ToolSelection.UnknownException e) {
      throw fields.invalid("mcp." + e.field(), "is not right: " + e.getMessage());
    }
    if (session.tools().isEmpty()) {
      return Optional.empty();
    }
    if (model.template().toolCallFormat().isEmpty()) {
      if (field.isPresent()) {
        throw fields.invalid("mcp", "cannot be used: this model has no way to write calls");
      }
      LOG.warn("{} gets no tools: its model has no way to write calls", requestId);
      return Optional.empty();
    }
    return Optional.of(session);
  }
}
