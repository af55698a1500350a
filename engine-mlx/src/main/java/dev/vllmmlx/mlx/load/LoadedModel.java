package dev.vllmmlx.mlx.load;

import dev.vllmmlx.mlx.array.Scope;
import dev.vllmmlx.mlx.model.CausalLanguageModel;
import dev.vllmmlx.mlx.model.ModelConfig;

/**
 * A model with its weights in memory, until it is closed on MLX's owner thread.
 *
 * @param weightBytes memory that the weights take
 * @param weights what owns them
 */
public record LoadedModel(CausalLanguageModel model, long weightBytes, Scope weights)
    implements AutoCloseable {

  public ModelConfig config() {
    return model.config();
  }

  @Override
  public void close() {
    weights.close();
  }
}
