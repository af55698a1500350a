package dev.vllmmlx.mcp.tool;

import dev.vllmmlx.spi.Tool;
import java.util.Objects;

/**
 * A tool that models may be shown.
 *
 * @param definition under its name for models, {@code server__tool}
 * @param server its server's key in the configuration
 * @param serverTool its name at its server
 * @param inject whether it joins requests that do not ask for any in particular
 * @param runsUnasked whether calls of it are run here where a request does not say; otherwise they
 *     are given to the client
 */
public record McpTool(
    Tool definition, String server, String serverTool, boolean inject, boolean runsUnasked) {
  public McpTool {
    Objects.requireNonNull(definition);
    Objects.requireNonNull(server);
    Objects.requireNonNull(serverTool);
  }

  /** Its name for models. */
  public String name() {
    return definition.name();
  }
}
