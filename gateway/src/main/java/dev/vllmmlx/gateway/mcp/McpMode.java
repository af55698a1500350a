package dev.vllmmlx.gateway.mcp;

import java.util.Locale;

/** What chats get of the tools of MCP servers, as {@code --mcp-mode} says. */
public enum McpMode {
  /** Tools join chats, and calls of them are run here. */
  AUTO,
  /** Tools join chats; calls of them are given to the client, unless its request asks otherwise. */
  INJECT,
  /** No chat gets tools; the routes below {@code /v1/mcp} work. */
  OFF;

  /** As clients see it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
