package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.mlx.array.MemoryStatus;
import dev.vllmmlx.mlx.load.LoadedModel;
import java.util.HashMap;
import java.util.Map;

/** What MLX and a model's weights take. */
public final class MlxGauges {
  private MlxGauges() {}

  /** As an engine's status names it; any thread. */
  public static Map<String, Double> of(LoadedModel loaded) {
    var memory = MemoryStatus.now();
    var gauges = new HashMap<String, Double>();
    gauges.put("live_handles", (double) memory.liveHandles());
    gauges.put("mlx_active_bytes", (double) memory.activeBytes());
    gauges.put("mlx_peak_bytes", (double) memory.peakBytes());
    gauges.put("mlx_cache_bytes", (double) memory.cacheBytes());
    gauges.put("weight_bytes", (double) loaded.weightBytes());
    return gauges;
  }
}
