package dev.vllmmlx.mcp.tool;

import java.time.Duration;

/** Told of each call once it is over, for logs and metrics. Called by the caller's thread. */
@FunctionalInterface
public interface CallListener {
  /**
   * A call is over.
   *
   * @param request the id of the request that made it
   * @param tool what was called
   * @param arguments as the model wrote them; may hold secrets
   * @param outcome what came of it
   * @param took how long
   */
  void called(String request, McpTool tool, String arguments, ToolOutcome outcome, Duration took);
}
