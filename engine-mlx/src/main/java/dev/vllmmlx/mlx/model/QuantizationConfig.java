package dev.vllmmlx.mlx.model;

import dev.vllmmlx.mlx.nn.Quantization;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How a checkpoint's layers are quantized, from {@code quantization} in {@code config.json}.
 *
 * @param general what holds where nothing else is said; empty for a checkpoint that is not
 *     quantized
 * @param overrides by module path, such as {@code model.layers.0.mlp.down_proj}; an empty one says
 *     that the module is dense
 */
public record QuantizationConfig(
    Optional<Quantization> general, Map<String, Optional<Quantization>> overrides) {

  /** Nothing is quantized. */
  public static final QuantizationConfig NONE = new QuantizationConfig(Optional.empty(), Map.of());

  public QuantizationConfig {
    overrides = Map.copyOf(overrides);
  }

  /** How the module is quantized if its scales are in the checkpoint. */
  public Optional<Quantization> of(String modulePath) {
    return overrides.getOrDefault(modulePath, general);
  }

  /**
   * How the module is quantized if the file speaks of it by name and does not say that it is dense.
   */
  public Optional<Quantization> override(String modulePath) {
    return overrides.getOrDefault(modulePath, Optional.empty());
  }

  /**
   * Reads {@code quantization}, or {@code quantization_config} where that is all there is.
   *
   * @throws ModelFormatException for another method than MLX's affine one, or for bits and group
   *     sizes that MLX does not take
   */
  static QuantizationConfig parse(ConfigJson config) {
    var mlx = config.optionalObject("quantization");
    if (mlx.isPresent()) {
      return parseMlx(mlx.get());
    }
    var other = config.optionalObject("quantization_config");
    if (other.isEmpty()) {
      return NONE;
    }
    // Other tools name their method here; MLX names none.
    var method = other.get().optionalText("quant_method");
    if (method.isPresent()) {
      throw other
          .get()
          .wrong("quant_method", "absent: only MLX's own affine quantization is supported");
    }
    return parseMlx(other.get());
  }

  private static QuantizationConfig parseMlx(ConfigJson config) {
    var overrides = new LinkedHashMap<String, Optional<Quantization>>();
    for (var property : config.node().properties()) {
      var path = property.getKey();
      var value = property.getValue();
      if (value.isObject()) {
        var override = new ConfigJson(value, config.path() + "." + path);
        overrides.put(path, Optional.of(quantization(override)));
      } else if (value.isBoolean() && !value.asBoolean()) {
        // true says no more than the general rule does.
        overrides.put(path, Optional.empty());
      }
    }
    return new QuantizationConfig(Optional.of(quantization(config)), overrides);
  }

  private static Quantization quantization(ConfigJson config) {
    var mode = config.optionalText("mode").orElse("affine");
    if (!mode.equals("affine")) {
      throw config.wrong("mode", "\"affine\", the one quantization mode that is supported");
    }
    // MLX's own defaults for what an override leaves out.
    var bits = config.optionalPositiveInt("bits").orElse(4);
    var groupSize = config.optionalPositiveInt("group_size").orElse(64);
    try {
      return new Quantization(bits, groupSize);
    } catch (IllegalArgumentException e) {
      throw new ModelFormatException(
          "config.json: %s: %s".formatted(config.path(), e.getMessage()), e);
    }
  }
}
