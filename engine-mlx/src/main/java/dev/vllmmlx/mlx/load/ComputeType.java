package dev.vllmmlx.mlx.load;

/** The dtype that a model computes in: its {@code --dtype}. */
public enum ComputeType {
  /**
   * float32 on a CPU, where MLX's half types are slow and inexact; on a GPU as the checkpoint is.
   */
  AUTO,
  FLOAT32,
  FLOAT16,
  BFLOAT16
}
