package dev.vllmmlx.mlx.cache;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.LayerOps;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.Scope;
import dev.vllmmlx.mlx.model.KvLayer;
import java.util.List;

/** One layer's keys and values, {@code [1, kvHeads, capacity, width]} each. */
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
   * Makes room for tokens up to a position.
   *
   * @param used how many of those that it holds are wanted still
   */
  void reserve(int used, int wanted) {
    if (wanted > capacity) {
      var grown = roomFor(wanted);
      keys = owned.replace(keys, grown(keys, used, grown));
      values = owned.replace(values, grown(values, used, grown));
      capacity = grown;
    }
  }

  /** As it is, for what writes to it in place. */
  LayerOps.LayerMemory memory(LayerOps.RowPlaces places) {
    return new LayerOps.LayerMemory(keys, values, places);
  }

  /** Appends the rows' keys and values and attends: see {@link LayerOps#cachedAttention}. */
  Array attend(
      Array queries,
      Array newKeys,
      Array newValues,
      LayerOps.RowPlaces places,
      LayerOps.AttentionPlan plan) {
    var attended = LayerOps.cachedAttention(queries, newKeys, newValues, memory(places), plan);
    // The old buffer is given up before anything is computed, so that MLX writes in its place.
    keys = owned.replace(keys, attended.keys());
    values = owned.replace(values, attended.values());
    return attended.mixed();
  }

  /** The first tokens once more, in memory of their own. */
  LayerCache fork(int tokens) {
    var fork = new LayerCache(layer);
    if (tokens > 0) {
      fork.keys = fork.owned.keep(grown(keys, tokens, roomFor(tokens)));
      fork.values = fork.owned.keep(grown(values, tokens, roomFor(tokens)));
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

  // At least one token more than asked for: what is concatenated below is never empty.
  private static int roomFor(int tokens) {
    return (tokens / KvCache.STEP + 1) * KvCache.STEP;
  }

  private Array grown(Array old, int used, int tokens) {
    if (old == null || used == 0) {
      return empty(tokens);
    }
    return Mlx.concatenate(List.of(Mlx.slice(old, TOKENS, 0, used), empty(tokens - used)), TOKENS);
  }

  private Array empty(int tokens) {
    return Mlx.zeros(layer.type(), 1, layer.kvHeads(), tokens, layer.width());
  }
}
