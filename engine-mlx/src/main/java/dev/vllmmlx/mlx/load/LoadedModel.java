package dev.vllmmlx.mlx.load;

import dev.vllmmlx.mlx.array.Scope;
import dev.vllmmlx.mlx.model.CausalLanguageModel;
import dev.vllmmlx.mlx.model.KvLayer;
import dev.vllmmlx.mlx.model.ModelConfig;
import java.util.List;

/**
 * A model with its weights in memory, until it is closed on MLX's owner thread.
 *
 * @param kvLayers what a cache keeps for each layer, first layer first
 * @param weightBytes memory that the weights take
 * @param weights what owns them
 */
public record LoadedModel(
    CausalLanguageModel model, List<KvLayer> kvLayers, long weightBytes, Scope weights)
    implements AutoCloseable {

  public ModelConfig config() {
    return model.config();
  }

  /**
   * The same model over caches in 8 bits a number, or in 16.
   *
   * @see KvLayer#inBits
   */
  public LoadedModel withKvBits(int bits) {
    var layers = kvLayers.stream().map(layer -> layer.inBits(bits)).toList();
    return new LoadedModel(model, layers, weightBytes, weights);
  }

  @Override
  public void close() {
    weights.close();
  }
}
