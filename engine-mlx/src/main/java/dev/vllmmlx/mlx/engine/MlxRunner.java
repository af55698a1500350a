package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.cache.KvCache;
import dev.vllmmlx.mlx.load.LoadedModel;
import java.util.Map;

/** A model of MLX. */
final class MlxRunner implements ModelRunner {
  private final LoadedModel loaded;
  private final int contextLength;

  MlxRunner(LoadedModel loaded, int contextLength) {
    this.loaded = loaded;
    this.contextLength = contextLength;
  }

  @Override
  public int contextLength() {
    return contextLength;
  }

  @Override
  public ModelState newState() {
    return new KvState(loaded.model(), new KvCache(loaded.kvLayers()));
  }

  @Override
  public int vocabularySize() {
    return loaded.config().vocabularySize();
  }

  @Override
  public Map<String, Double> gauges() {
    return MlxGauges.of(loaded);
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
