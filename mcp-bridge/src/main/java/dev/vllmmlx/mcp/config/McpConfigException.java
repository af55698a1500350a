package dev.vllmmlx.mcp.config;

/** A configuration that cannot be used. The message names file, server and key. */
public final class McpConfigException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public McpConfigException(String message) {
    super(message);
  }

  public McpConfigException(String message, Throwable cause) {
    super(message, cause);
  }
}
