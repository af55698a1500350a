package dev.vllmmlx.gateway.pipeline;

/**
 * Carries an {@link ApiError} from where it is found to where it is written. Without a stack: it is
 * the client's.
 */
public final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final transient ApiError error;

  public ApiException(ApiError error) {
    super(error.message(), null, false, false);
    this.error = error;
  }

  public ApiError error() {
    return error;
  }
}
