package dev.vllmmlx.mlx.cache;

import dev.vllmmlx.mlx.nn.ForwardPass;
import dev.vllmmlx.mlx.model.KvLayer;
import java.util.List;

/**
 * Keys and values of one sequence in contiguous memory that grows by {@value #STEP} tokens.
 *
 * <pre>{@code
 * try (var cache = new KvCache(model.kvLayers())) {
 *   var hidden = model.hidden(prompt, cache.append(prompt.length)); // prefill
 *   ...
 *   hidden = model.hidden(next, cache.append(1)); // decode
 * }
 * }</pre>
 *
 * <p>To be used on MLX's owner thread only. It frees what it holds when it is closed.
 */
public final class KvCache implements AutoCloseable {

  /** Tokens by which it grows, as mlx-lm's. */
  public static final int STEP = 256;

  /** An empty cache for {@link dev.vllmmlx.mlx.model.CausalLanguageModel#kvLayers}. */
  public KvCache(List<KvLayer> layers) {
    throw new UnsupportedOperationException();
  }

  /** Tokens that it holds. */
  public int length() {
    throw new UnsupportedOperationException();
  }

  /**
   * Makes room for the next rows of the sequence: {@link #length} grows at once, and the pass fills
   * it. If the pass fails, {@link #trim} its rows or close the cache.
   *
   * @param rows 1 or more
   */
  public ForwardPass append(int rows) {
    throw new UnsupportedOperationException();
  }

  /**
   * Forgets the last {@code tokens}, so that another continuation can follow.
   *
   * @throws IllegalArgumentException if it holds fewer
   */
  public void trim(int tokens) {
    throw new UnsupportedOperationException();
  }

  /**
   * Computes what passes have written so far. Needed after a chunk of a prefill whose output nobody
   * evaluates, so that graphs stay small.
   */
  public void evaluate() {
    throw new UnsupportedOperationException();
  }

  /** Memory that it takes, room for growth included. */
  public long bytes() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }
}
