package dev.vllmmlx.text.tokenizer;

/**
 * A tokenizer that cannot be read or is of a kind not known here; the message names the file or
 * key.
 */
public final class TokenizerException extends RuntimeException {
  public TokenizerException(String message) {
    super(message);
  }

  public TokenizerException(String message, Throwable cause) {
    super(message, cause);
  }
}
