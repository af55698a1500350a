package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.spi.EngineException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * Why a request failed, in no dialect's words yet.
 *
 * @param status the HTTP status, 400 to 599
 * @param type the kind, as OpenAI names them: {@code invalid_request_error}
 * @param code what exactly: {@code context_length_exceeded}
 * @param field the request's field at fault, where one is
 * @param message for people
 * @param retryAfter when to try again, where that helps
 */
public record ApiError(
    int status,
    String type,
    Optional<String> code,
    Optional<String> field,
    String message,
    Optional<Duration> retryAfter) {

  public ApiError {
    Objects.requireNonNull(type);
    Objects.requireNonNull(code);
    Objects.requireNonNull(field);
    Objects.requireNonNull(message);
    Objects.requireNonNull(retryAfter);
  }

  /** The request is wrong in this field. */
  public static ApiError invalid(String field, String message) {
    return invalid(field, message, "invalid_value");
  }

  /** The field is known, and what it asks for is not done here. */
  public static ApiError unsupported(String field, String message) {
    return invalid(field, message, "unsupported_parameter");
  }

  /** The request is wrong; {@code field} may be null where no field is. */
  public static ApiError invalid(String field, String message, String code) {
    return new ApiError(
        400,
        "invalid_request_error",
        Optional.of(code),
        Optional.ofNullable(field),
        message,
        Optional.empty());
  }

  /** An error of the transport: path, method, size, key. */
  public static ApiError of(int status, String code, String message) {
    return new ApiError(
        status,
        status < 500 ? "invalid_request_error" : "server_error",
        Optional.of(code),
        Optional.empty(),
        message,
        Optional.empty());
  }

  /** The server is on its way out. */
  public static ApiError draining() {
    return new ApiError(
        503,
        "service_unavailable_error",
        Optional.of("shutting_down"),
        Optional.empty(),
        "the server is shutting down",
        Optional.of(Duration.ofSeconds(5)));
  }

  /** Nobody hears of it but the log. */
  public static ApiError clientGone() {
    return of(499, "client_gone", "the client went away");
  }

  /**
   * What an engine's exception means to a client.
   *
   * @param promptField the field that the prompt came in
   */
  public static ApiError of(EngineException exception, String promptField) {
    return of(exception, promptField, "");
  }

  /**
   * The same for a request with a constraint, which clients have several fields for.
   *
   * @param constraintField the one that was used; empty where none was
   */
  static ApiError of(EngineException exception, String promptField, String constraintField) {
    return switch (exception) {
      case EngineException.InvalidRequest e ->
          invalid(
              e.field()
                  .map(field -> field.equals("constraint") ? constraintField : field)
                  .filter(field -> !field.isEmpty())
                  .orElse(null),
              e.getMessage(),
              "invalid_value");
      case EngineException.ContextExceeded e ->
          invalid(promptField, e.getMessage(), "context_length_exceeded");
      case EngineException.Overloaded e ->
          new ApiError(
              429,
              "rate_limit_error",
              Optional.of("overloaded"),
              Optional.empty(),
              e.getMessage(),
              Optional.of(e.retryAfter()));
      case EngineException.Unavailable e ->
          new ApiError(
              503,
              "service_unavailable_error",
              Optional.of("engine_unavailable"),
              Optional.empty(),
              e.getMessage(),
              Optional.of(Duration.ofSeconds(5)));
      case EngineException.Internal e ->
          new ApiError(
              500,
              "server_error",
              Optional.of("internal_error"),
              Optional.empty(),
              "the engine failed at this request; the server's log says more",
              Optional.empty());
    };
  }
}
