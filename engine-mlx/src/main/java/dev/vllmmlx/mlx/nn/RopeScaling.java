package dev.vllmmlx.mlx.nn;

import java.util.List;

/** How a model stretches its rotary positions beyond the length that it was first trained for. */
public sealed interface RopeScaling {

  /** Positions as they are. */
  record None() implements RopeScaling {}

  /** Every position divided by {@code factor}. */
  record Linear(double factor) implements RopeScaling {}

  /**
   * Llama 3.1: slow dimensions are stretched by {@code factor}, fast ones stay, and those between
   * go smoothly from one to the other.
   *
   * @param originalContext tokens that the model was first trained for
   */
  record Llama3(double factor, double lowFrequency, double highFrequency, int originalContext)
      implements RopeScaling {}

  /**
   * YaRN (Peng et al., 2023): as Llama 3, with a linear ramp between {@code betaFast} and {@code
   * betaSlow} rotations over the original context, and vectors scaled by {@code magnitude} before
   * they are rotated.
   *
   * @param originalContext tokens that the model was first trained for
   */
  record Yarn(
      double factor, int originalContext, double betaFast, double betaSlow, double magnitude)
      implements RopeScaling {}

  /**
   * A factor for each pair of dimensions, by which its frequency is divided: how llama.cpp's files
   * carry Llama 3's scaling.
   */
  record Factors(List<Float> factors) implements RopeScaling {
    public Factors {
      factors = List.copyOf(factors);
    }
  }
}
