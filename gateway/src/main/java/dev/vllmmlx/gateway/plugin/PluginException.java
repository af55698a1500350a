package dev.vllmmlx.gateway.plugin;

/** A plugin that cannot be loaded. The message is for the person who starts the server. */
public final class PluginException extends RuntimeException {
  public PluginException(String message) {
    super(message);
  }

  public PluginException(String message, Throwable cause) {
    super(message, cause);
  }
}
