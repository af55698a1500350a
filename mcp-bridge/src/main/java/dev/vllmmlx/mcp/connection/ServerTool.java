package dev.vllmmlx.mcp.connection;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A tool as its server lists it.
 *
 * @param name by the server's own naming, any text
 * @param description what it does, for a model
 * @param inputSchema a JSON Schema of its arguments, as plain values of JSON's types
 */
public record ServerTool(
    String name, Optional<String> description, Optional<Map<String, Object>> inputSchema) {
  public ServerTool {
    Objects.requireNonNull(name);
    Objects.requireNonNull(description);
    Objects.requireNonNull(inputSchema);
  }
}
