/**
 * From files to a model in memory: folders in Hugging Face's and MLX's layout, and GGUF files.
 *
 * <p>All that is peculiar to a file format ends here: the rest knows one way to name tensors, and
 * that is MLX's.
 */
package dev.vllmmlx.mlx.load;
