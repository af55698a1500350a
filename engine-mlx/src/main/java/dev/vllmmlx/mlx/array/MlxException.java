package dev.vllmmlx.mlx.array;

/** MLX refused an operation or could not be loaded; the message is MLX's own where it has one. */
public final class MlxException extends RuntimeException {

  private static final long serialVersionUID = 1;

  public MlxException(String message) {
    super(message);
  }

  public MlxException(String message, Throwable cause) {
    super(message, cause);
  }
}
