package dev.vllmmlx.mlx.cache;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.Scope;
import dev.vllmmlx.mlx.model.KvLayer;
import java.util.List;

/** One layer's keys and values, {@code [1, kvHeads, capacity, headDim]} each. */
final class LayerCache implements AutoCloseable {
  private static final int TOKENS = 2; // the axis

  private final KvLayer layer;
  private final Scope owned = Mlx.detachedScope();
  private int capacity;
  private Array keys;
  private Array values;

  LayerCache(KvLayer layer) {
    this.layer = layer;
  }

  /**
   * Writes the rows from a position on, over whatever was there.
   *
   * @param newKeys {@code [1, kvHeads, rows, headDim]}
   */
  void write(int start, Array newKeys, Array newValues) {
    var end = start + newKeys.dim(TOKENS);
    grow(start, end, newKeys.dtype());
    // The old buffer is given up before anything is computed, so that MLX writes in its place.
    keys = owned.replace(keys, Mlx.sliceUpdate(keys, newKeys, TOKENS, start, end));
    values = owned.replace(values, Mlx.sliceUpdate(values, newValues, TOKENS, start, end));
  }

  /** {@code [1, kvHeads, end - first, headDim]}: a view. */
  Array keys(int first, int end) {
    return Mlx.slice(keys, TOKENS, first, end);
  }

  Array values(int first, int end) {
    return Mlx.slice(values, TOKENS, first, end);
  }

  /** The first tokens once more, in memory of their own. */
  LayerCache fork(int tokens) {
    var fork = new LayerCache(layer);
    if (tokens > 0) {
      fork.keys = fork.owned.keep(grown(keys, tokens, roomFor(tokens), keys.dtype()));
      fork.values = fork.owned.keep(grown(values, tokens, roomFor(tokens), values.dtype()));
      fork.capacity = roomFor(tokens);
    }
    return fork;
  }

  void collect(List<Array> held) {
    if (keys != null) {
      held.add(keys);
      held.add(values);
    }
  }

  long bytes() {
    return keys == null ? 0 : keys.bytes() + values.bytes();
  }

  @Override
  public void close() {
    owned.close();
  }

  private void grow(int used, int wanted, DType dtype) {
    if (wanted <= capacity) {
      return;
    }
    var grown = roomFor(wanted);
    keys = owned.replace(keys, grown(keys, used, grown, dtype));
    values = owned.replace(values, grown(values, used, grown, dtype));
    capacity = grown;
  }

  // At least one token more than asked for: what is concatenated below is never empty.
  private static int roomFor(int tokens) {
    return (tokens / KvCache.STEP + 1) * KvCache.STEP;
  }

  private Array grown(Array old, int used, int tokens, DType dtype) {
    if (old == null || used == 0) {
      return Mlx.zeros(dtype, 1, layer.kvHeads(), tokens, layer.headDim());
    }
    var room = Mlx.zeros(dtype, 1, layer.kvHeads(), tokens - used, layer.headDim());
    return Mlx.concatenate(List.of(Mlx.slice(old, TOKENS, 0, used), room), TOKENS);
  }
}
