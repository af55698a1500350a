package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.mlx.array.MemoryStatus;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.cache.KvCache;
import dev.vllmmlx.mlx.load.LoadedModel;
import java.util.Map;

/** A model of MLX. */
final class MlxRunner implements ModelRunner {
  private final LoadedModel loaded;

  MlxRunner(LoadedModel loaded) {
    this.loaded = loaded;
  }

  @Override
  public ModelState newState() {
    return new KvState(loaded.model(), new KvCache(loaded.model().kvLayers()));
  }

  @Override
  public int vocabularySize() {
    return loaded.config().vocabularySize();
  }

  @Override
  public Map<String, Double> gauges() {
    var memory = MemoryStatus.now();
    return Map.of(
        "live_handles", (double) memory.liveHandles(),
        "mlx_active_bytes", (double) memory.activeBytes(),
        "mlx_peak_bytes", (double) memory.peakBytes(),
        "mlx_cache_bytes", (double) memory.cacheBytes(),
        "weight_bytes", (double) loaded.weightBytes());
  }

  @Override
  public void rest() {
    Mlx.clearCache();
  }

  @Override
  public void close() {
    loaded.close();
  }
}
