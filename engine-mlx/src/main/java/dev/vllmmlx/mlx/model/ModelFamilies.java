package dev.vllmmlx.mlx.model;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The families that are known, by {@code model_type}. */
public final class ModelFamilies {

  private final Map<String, ModelFamily> byType = new TreeMap<>();

  /**
   * @throws IllegalArgumentException if two families claim a type
   */
  public ModelFamilies(List<ModelFamily> families) {
    for (var family : families) {
      for (var type : family.modelTypes()) {
        if (byType.put(type, family) != null) {
          throw new IllegalArgumentException("two families claim the model type " + type);
        }
      }
    }
  }

  /** What comes with the engine: a new family is one more line here. */
  public static ModelFamilies standard() {
    return new ModelFamilies(List.of(new Llama(), new Mistral(), new Qwen2(), new Qwen3()));
  }

  /**
   * @throws ModelFormatException that lists what is known, if the type is not
   */
  public ModelFamily of(String modelType) {
    var family = byType.get(modelType);
    if (family == null) {
      throw new ModelFormatException(
          "The model type %s is not supported. Supported are %s"
              .formatted(modelType, String.join(", ", byType.keySet())));
    }
    return family;
  }
}
