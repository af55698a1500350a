/**
 * One answer on its way from tokens to events: its ids, its text, its stop strings, its end.
 *
 * <p>A {@link dev.vllmmlx.mlx.sequence.Sequence} is fed scores and tells its sink what happened; it
 * decides when the answer ends and why. It computes nothing with MLX and knows nothing of other
 * sequences, so that every engine, whatever its way of scheduling, shares it.
 */
package dev.vllmmlx.mlx.sequence;
