package dev.vllmmlx.spi;

/** Why a generation ended. */
public enum FinishReason {
  /** The model ended its turn, or a stop string or stop token came. */
  STOP,
  /** The greatest number of tokens was reached: the request's own, or what the context leaves. */
  LENGTH,
  /** It was cancelled, by {@link Generation#cancel()} or by its deadline. */
  CANCELLED
}
