package dev.vllmmlx.mcp.connection;

import java.net.ConnectException;
import java.nio.channels.UnresolvedAddressException;
import java.util.concurrent.TimeoutException;

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
    var cause = failure;
    while (cause.getCause() != null && !(cause instanceof ConnectException)) {
      cause = cause.getCause();
    }
    var message = cause.getMessage();
    return switch (cause) {
      case TimeoutException _ -> "no answer in time";
      case ConnectException e when e.getCause() instanceof UnresolvedAddressException ->
          "the host is not known";
      case ConnectException _ -> "the connection is refused";
      default -> message == null || message.isBlank() ? cause.getClass().getSimpleName() : message;
    };
  }
}
