package dev.vllmmlx.mlx.load;

import dev.vllmmlx.mlx.model.CausalLanguageModel;
import dev.vllmmlx.mlx.model.ModelConfig;

/**
 * A model with its weights in memory, until it is closed on MLX's owner thread.
 *
 * @param weightBytes memory that the weights take
 * @param weights what frees them
 */
public record LoadedModel(CausalLanguageModel model, long weightBytes, AutoCloseable weights) {

  public ModelConfig config() {
    return model.config();
  }
}
