package dev.vllmmlx.mlx.cache;

import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.model.KvLayer;
import dev.vllmmlx.mlx.nn.ForwardPass;
import java.util.ArrayList;
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
 * <p>A layer with a sliding window keeps every token all the same, and masks: so any {@link
 * #rewind} is right. To be used on MLX's owner thread only. It frees what it holds when it is
 * closed.
 */
public final class KvCache implements SequenceState<KvCache> {

  /** Tokens by which it grows, as mlx-lm's. */
  public static final int STEP = 256;

  private final List<LayerCache> layers;
  private int length;

  /** An empty cache for {@link dev.vllmmlx.mlx.model.CausalLanguageModel#kvLayers}. */
  public KvCache(List<KvLayer> layers) {
    this(layers.stream().map(LayerCache::new).toList(), 0);
  }

  private KvCache(List<LayerCache> layers, int length) {
    this.layers = layers;
    this.length = length;
  }

  @Override
  public int length() {
    return length;
  }

  /**
   * Makes room for the next rows of the sequence: {@link #length} grows at once, and the pass fills
   * it. If the pass fails, {@link #rewind} its rows or close the cache.
   *
   * @param rows 1 or more
   */
  public ForwardPass append(int rows) {
    if (rows < 1) {
      throw new IllegalArgumentException("a pass has 1 row or more, not " + rows);
    }
    var start = length;
    length += rows;
    return new ContiguousPass(layers, start, rows);
  }

  /**
   * Forgets all but the first {@code length} tokens, so that another continuation can follow.
   *
   * @throws IllegalArgumentException if it holds fewer, or {@code length} is below 0
   */
  @Override
  public void rewind(int length) {
    if (length < 0 || length > this.length) {
      throw new IllegalArgumentException(
          "cannot go back to %d of %d tokens".formatted(length, this.length));
    }
    this.length = length;
  }

  /**
   * A cache of its own with the first {@code tokens} of this one, which stays as it is.
   *
   * @throws IllegalArgumentException if this one holds fewer
   */
  @Override
  public KvCache fork(int tokens) {
    if (tokens < 0 || tokens > length) {
      throw new IllegalArgumentException("cannot take %d of %d tokens".formatted(tokens, length));
    }
    // What is made on the way would keep this cache's memory for as long as it lives.
    try (var _ = Mlx.scope()) {
      var fork = new KvCache(layers.stream().map(layer -> layer.fork(tokens)).toList(), tokens);
      fork.evaluate();
      return fork;
    }
  }

  /**
   * Computes what passes have written so far. Needed after a chunk of a prefill whose output nobody
   * evaluates, so that graphs stay small.
   */
  public void evaluate() {
    var held = new ArrayList<dev.vllmmlx.mlx.array.Array>();
    layers.forEach(layer -> layer.collect(held));
    Mlx.eval(held);
  }

  /** Memory that it takes, room for growth included. */
  @Override
  public long bytes() {
    return layers.stream().mapToLong(LayerCache::bytes).sum();
  }

  @Override
  public void close() {
    layers.forEach(LayerCache::close);
  }
}
