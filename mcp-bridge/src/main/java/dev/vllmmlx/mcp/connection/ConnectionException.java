package dev.vllmmlx.mcp.connection;

/** A server cannot be reached, or does not speak as it should. The message says why, for people. */
public final class ConnectionException extends Exception {
  private static final long serialVersionUID = 1;

  public ConnectionException(String message) {
    super(message);
  }

  public ConnectionException(String message, Throwable cause) {
    super(message, cause);
  }

  /** With the reason that lies deepest, without the names of exceptions around it. */
  static ConnectionException of(String what, Throwable failure) {
    return new ConnectionException("%s: %s".formatted(what, reason(failure)), failure);
  }

  /** Why something failed, in as few words as there are. */
  static String reason(Throwable failure) {
    var deepest = failure;
    while (deepest.getCause() != null && deepest.getCause() != deepest) {
      deepest = deepest.getCause();
    }
    var message = deepest.getMessage();
    return switch (deepest) {
      case java.util.concurrent.TimeoutException _ -> "no answer in time";
      case java.net.ConnectException _ -> "the connection is refused";
      default ->
          message == null || message.isBlank() ? deepest.getClass().getSimpleName() : message;
    };
  }
}
