package dev.vllmmlx.mlx.array;

/** Of a gated unit. The order is the shim's. */
public enum Activation {
  /** {@code v / (1 + e^-v)}. */
  SILU,

  /** {@code 0.5 v (1 + tanh(sqrt(2 / pi) (v + 0.044715 v^3)))}, as models with a GELU gate do. */
  GELU
}
