package dev.vllmmlx.hub.gguf;

/** A file is no GGUF file, is damaged, or lacks a value that was asked for. */
public final class GgufException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public GgufException(String message) {
    super(message);
  }

  public GgufException(String message, Throwable cause) {
    super(message, cause);
  }
}
