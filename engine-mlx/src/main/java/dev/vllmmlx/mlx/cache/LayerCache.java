package dev.vllmmlx.mlx.cache;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.Scope;
import dev.vllmmlx.mlx.model.KvLayer;
import java.util.List;

/** One layer's keys and values, {@code [1, kvHeads, capacity, headDim]} each. */
final class LayerCache implements AutoCloseable {

  private final KvLayer layer;
  private int capacity;
  private Array keys;
  private Array values;

  LayerCache(KvLayer layer) {
    this.layer = layer;
  }

  void write(int start, Array newKeys, Array newValues) {
  }

  @Override
  public void close() {
  }
}
