/**
 * KV caches that one sequence owns, and the passes that write to them.
 *
 * <p>A cache that many sequences share is another {@link dev.vllmmlx.mlx.nn.ForwardPass}: models do
 * not see the difference.
 */
package dev.vllmmlx.mlx.cache;
