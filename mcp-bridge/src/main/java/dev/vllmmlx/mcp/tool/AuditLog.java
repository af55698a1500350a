package dev.vllmmlx.mcp.tool;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A line for each call, by a logger of its own: {@code dev.vllmmlx.mcp.audit}. */
public final class AuditLog implements CallListener {
  private static final Logger LOG = LoggerFactory.getLogger("dev.vllmmlx.mcp.audit");

  private final Redaction redaction;

  /**
   * @param patterns of arguments whose values are hidden
   */
  public AuditLog(java.util.List<dev.vllmmlx.mcp.config.NamePattern> patterns) {
    this.redaction = new Redaction(patterns);
  }

  @Override
  public void called(
      String request, McpTool tool, String arguments, ToolOutcome outcome, Duration took) {
    LOG.info(
        "{} {} {} -> {}, {} characters in {} ms",
        request,
        tool.name(),
        redaction.of(arguments),
        outcome.kind(),
        outcome.text().length(),
        took.toMillis());
  }
}
