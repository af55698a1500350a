package dev.vllmmlx.spi;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * Why an engine could not do what it was asked. The message is for the client: it says what is
 * wrong and with what, and holds nothing of other requests. Each API dialect maps these five kinds
 * to its own error body.
 */
public abstract sealed class EngineException extends RuntimeException {

  private EngineException(String message, Throwable cause) {
    super(Objects.requireNonNull(message), cause);
  }

  /** The request cannot be served as it is, now or later. */
  public static final class InvalidRequest extends EngineException {
    private final Optional<String> field;

    /**
     * @param field the field of the request that is at fault, as clients know it; may be null when
     *     none can be named
     */
    public InvalidRequest(String field, String message) {
      super(message, null);
      this.field = Optional.ofNullable(field);
    }

    public Optional<String> field() {
      return field;
    }
  }

  /** The prompt leaves no room for an answer. */
  public static final class ContextExceeded extends EngineException {
    private final int promptTokens;
    private final int contextLength;

    public ContextExceeded(int promptTokens, int contextLength) {
      super(
          "the prompt is %d tokens long, and the model's context of %d tokens must hold it and the answer"
              .formatted(promptTokens, contextLength),
          null);
      this.promptTokens = promptTokens;
      this.contextLength = contextLength;
    }

    public int promptTokens() {
      return promptTokens;
    }

    public int contextLength() {
      return contextLength;
    }
  }

  /** There is no room for the request now. */
  public static final class Overloaded extends EngineException {
    private final Duration retryAfter;

    /**
     * @param retryAfter when to try again, as far as can be told; at least a second
     */
    public Overloaded(String message, Duration retryAfter) {
      super(message, null);
      this.retryAfter = Objects.requireNonNull(retryAfter);
    }

    public Duration retryAfter() {
      return retryAfter;
    }
  }

  /** The engine cannot serve anybody: it is starting, ending, or broken. */
  public static final class Unavailable extends EngineException {
    public Unavailable(String message) {
      super(message, null);
    }

    public Unavailable(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** The engine is at fault. */
  public static final class Internal extends EngineException {
    public Internal(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
