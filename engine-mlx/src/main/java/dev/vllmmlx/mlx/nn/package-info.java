/**
 * Layers: small records of weights with one method that applies them to rows.
 *
 * <p>A layer knows nothing of files, families or caches. It calls ops of {@code
 * dev.vllmmlx.mlx.array} only, and leaves what depends on a row's sequence and position to a {@link
 * dev.vllmmlx.mlx.nn.ForwardPass}. Shapes are {@code [rows, ...]}: there is no batch axis.
 */
package dev.vllmmlx.mlx.nn;
