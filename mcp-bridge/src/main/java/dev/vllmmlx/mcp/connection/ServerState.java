package dev.vllmmlx.mcp.connection;

import java.util.Locale;

/** How a server is. */
public enum ServerState {
  /** In the configuration, but not to be started. */
  DISABLED,
  /** Being started or reached. */
  CONNECTING,
  /** There, and its tools can be called. */
  READY,
  /** Not there; it is tried again after a while. */
  FAILED,
  /** Ended with us. */
  CLOSED;

  /** As clients see it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
