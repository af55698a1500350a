package dev.vllmmlx.mlx.cache;

/**
 * What is kept of a sequence so that it can be gone on with. On MLX's owner thread only.
 *
 * @param <S> itself
 */
public interface SequenceState<S> extends AutoCloseable {

  /** Tokens that it has seen. */
  int length();

  /** Forgets all but the first {@code length} tokens. */
  void rewind(int length);

  /** Another state after the first {@code length} tokens of this one, which stays as it is. */
  S fork(int length);

  /** Memory that it takes. */
  long bytes();

  @Override
  void close();
}
