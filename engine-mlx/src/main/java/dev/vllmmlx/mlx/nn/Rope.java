package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.LayerOps;
import dev.vllmmlx.mlx.array.Mlx;
import java.util.Optional;

/**
 * Rotary position embedding over whole heads.
 *
 * @param dims length of the vectors
 * @param traditional see {@link RopeConfig}
 * @param theta see {@link RopeConfig}; unused where there are wavelengths
 * @param scale by which positions are multiplied
 * @param wavelengths {@code [dims / 2]} float32; empty for the plain ones of {@code theta}
 * @param magnitude by which vectors are multiplied first
 */
public record Rope(
    int dims,
    boolean traditional,
    float theta,
    float scale,
    Optional<Array> wavelengths,
    float magnitude) {

  /** A rope of whose wavelengths the open scope is the owner. */
  public static Rope of(RopeConfig config, int dims) {
    var theta = config.theta();
    return switch (config.scaling()) {
      case RopeScaling.None() -> plain(config, dims, 1);
      case RopeScaling.Linear(var factor) -> plain(config, dims, (float) (1 / factor));
      case RopeScaling.Llama3 s -> with(config, RopeWavelengths.llama3(theta, dims, s), 1);
      case RopeScaling.Yarn s ->
          with(config, RopeWavelengths.yarn(theta, dims, s), (float) s.magnitude());
      case RopeScaling.Factors s -> with(config, RopeWavelengths.divided(theta, dims, s), 1);
    };
  }

  private static Rope plain(RopeConfig config, int dims, float scale) {
    return new Rope(dims, config.traditional(), (float) config.theta(), scale, Optional.empty(), 1);
  }

  private static Rope with(RopeConfig config, float[] wavelengths, float magnitude) {
    var array = Mlx.array(wavelengths, wavelengths.length);
    return new Rope(
        2 * wavelengths.length,
        config.traditional(),
        (float) config.theta(),
        1,
        Optional.of(array),
        magnitude);
  }

  /** What operations take. */
  public LayerOps.Rotation rotation() {
    return new LayerOps.Rotation(
        dims, traditional, theta, scale, wavelengths.orElse(null), magnitude);
  }
}
