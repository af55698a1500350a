package dev.vllmmlx.mlx.model;

import dev.vllmmlx.mlx.nn.RopeConfig;
import dev.vllmmlx.mlx.nn.RopeScaling;
import java.util.Optional;

/**
 * Reads the rotary embedding from {@code config.json}, in its old spelling ({@code rope_theta} and
 * {@code rope_scaling}) and in the one of transformers 5 ({@code rope_parameters}).
 */
final class RopeSettings {

  private RopeSettings() {}

  /**
   * @throws ModelFormatException for a type of scaling that is not known, or a key that it lacks
   */
  static RopeConfig parse(ConfigJson config, double defaultTheta, int maxPositions) {
    var parameters = config.optionalObject("rope_parameters");
    var scaling = config.optionalObject("rope_scaling").or(() -> parameters);
    var theta =
        parameters
            .filter(p -> p.has("rope_theta"))
            .orElse(config)
            .positiveNumber("rope_theta", defaultTheta);
    var partial = parameters.filter(p -> p.has("partial_rotary_factor")).orElse(config);
    if (partial.positiveNumber("partial_rotary_factor", 1) != 1) {
      throw partial.wrong("partial_rotary_factor", "1: only whole heads are rotated");
    }
    return new RopeConfig(theta, config.flag("rope_traditional"), scaling(scaling, maxPositions));
  }

  private static RopeScaling scaling(Optional<ConfigJson> settings, int maxPositions) {
    if (settings.isEmpty()) {
      return new RopeScaling.None();
    }
    var scaling = settings.get();
    var key = scaling.has("type") ? "type" : "rope_type";
    return switch (scaling.optionalText(key).orElse("default")) {
      case "default" -> new RopeScaling.None();
      case "linear" -> new RopeScaling.Linear(scaling.positiveNumber("factor"));
      case "llama3" ->
          new RopeScaling.Llama3(
              scaling.positiveNumber("factor"),
              scaling.positiveNumber("low_freq_factor", 1),
              scaling.positiveNumber("high_freq_factor", 4),
              scaling.optionalPositiveInt("original_max_position_embeddings").orElse(8192));
      case "yarn" -> yarn(scaling, maxPositions);
      default -> throw scaling.wrong(key, "one of default, linear, llama3, yarn");
    };
  }

  private static RopeScaling.Yarn yarn(ConfigJson scaling, int maxPositions) {
    var factor = scaling.positiveNumber("factor");
    var magnitude =
        scaling.has("attention_factor")
            ? scaling.positiveNumber("attention_factor")
            : magnitude(factor, scaling.positiveNumber("mscale", 1))
                / magnitude(factor, allDimensions(scaling));
    return new RopeScaling.Yarn(
        factor,
        scaling.optionalPositiveInt("original_max_position_embeddings").orElse(maxPositions),
        scaling.positiveNumber("beta_fast", 32),
        scaling.positiveNumber("beta_slow", 1),
        magnitude);
  }

  // 0 is a usual value of this key, and its default.
  private static double allDimensions(ConfigJson scaling) {
    var value = scaling.node().path("mscale_all_dim");
    return value.isNumber() && value.asDouble() == 0
        ? 0
        : scaling.positiveNumber("mscale_all_dim", 0);
  }

  private static double magnitude(double factor, double mscale) {
    return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
  }
}
