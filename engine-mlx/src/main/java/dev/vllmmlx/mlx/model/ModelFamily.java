package dev.vllmmlx.mlx.model;

import java.util.Set;

/** Models that are built alike. */
public interface ModelFamily {

  /** The values of {@code model_type} in {@code config.json} that it stands for. */
  Set<String> modelTypes();

  /**
   * Composes a model of a checkpoint's tensors, on MLX's owner thread. What it makes of its own
   * belongs to the scope that is open.
   *
   * @throws ModelFormatException if a tensor is missing or does not fit
   */
  CausalLanguageModel build(ModelConfig config, Weights weights);
}
