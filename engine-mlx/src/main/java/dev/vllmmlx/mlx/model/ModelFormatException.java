package dev.vllmmlx.mlx.model;

/** A checkpoint cannot be used; the message names the file, key or tensor that is to blame. */
public final class ModelFormatException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public ModelFormatException(String message) {
    super(message);
  }

  public ModelFormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
