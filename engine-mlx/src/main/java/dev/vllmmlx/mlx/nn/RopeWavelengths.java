package dev.vllmmlx.mlx.nn;

/**
 * The wavelength (over 2 pi) of each rotated pair of dimensions: position {@code p} turns pair
 * {@code i} by {@code p / wavelength[i]}.
 *
 * <p>The formulas are transformers' ({@code modeling_rope_utils.py}) in mlx-lm's order of float32
 * operations, since at a position of a hundred thousand a last bit can be seen.
 */
final class RopeWavelengths {

  private RopeWavelengths() {}

  /** {@code theta ^ (2i / dims)}. */
  static float[] plain(double theta, int dims) {
    var wavelengths = new float[dims / 2];
    for (var i = 0; i < wavelengths.length; i++) {
      wavelengths[i] = (float) Math.pow((float) theta, 2 * i / (float) dims);
    }
    return wavelengths;
  }

  static float[] llama3(double theta, int dims, RopeScaling.Llama3 scaling) {
    var wavelengths = plain(theta, dims);
    var slow = (float) (scaling.originalContext() / scaling.lowFrequency());
    var fast = (float) (scaling.originalContext() / scaling.highFrequency());
    for (var i = 0; i < wavelengths.length; i++) {
      var turn = (float) (2 * Math.PI) * wavelengths[i];
      if (turn > slow) {
        wavelengths[i] *= (float) scaling.factor();
      } else if (turn > fast && turn < slow) {
        var smooth =
            (scaling.originalContext() / turn - (float) scaling.lowFrequency())
                / (float) (scaling.highFrequency() - scaling.lowFrequency());
        wavelengths[i] /= (1 - smooth) / (float) scaling.factor() + smooth;
      }
    }
    return wavelengths;
  }

  static float[] yarn(double theta, int dims, RopeScaling.Yarn scaling) {
    var low = Math.max(Math.floor(dimension(scaling.betaFast(), theta, dims, scaling)), 0);
    var high = Math.min(Math.ceil(dimension(scaling.betaSlow(), theta, dims, scaling)), dims - 1);
    var width = (float) (low == high ? 0.001 : high - low);
    var wavelengths = plain(theta, dims);
    for (var i = 0; i < wavelengths.length; i++) {
      var kept = 1 - Math.clamp((i - (float) low) / width, 0f, 1f);
      var near = wavelengths[i];
      var far = (float) scaling.factor() * near;
      wavelengths[i] = far * near / (far * kept + near * (1 - kept));
    }
    return wavelengths;
  }

  static float[] divided(double theta, int dims, RopeScaling.Factors scaling) {
    var wavelengths = plain(theta, dims);
    for (var i = 0; i < wavelengths.length; i++) {
      wavelengths[i] *= scaling.factors().get(i);
    }
    return wavelengths;
  }

  /** The dimension that makes so many rotations over the original context. */
  private static double dimension(
      double rotations, double theta, int dims, RopeScaling.Yarn scaling) {
    return dims
        * Math.log(scaling.originalContext() / (rotations * 2 * Math.PI))
        / (2 * Math.log(theta));
  }
}
