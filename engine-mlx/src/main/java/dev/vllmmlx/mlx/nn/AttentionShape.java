package dev.vllmmlx.mlx.nn;

import java.util.OptionalInt;

/**
 * How a layer attends.
 *
 * @param scale by which scores are multiplied before the softmax
 * @param window tokens that a row looks back over, its own included; empty for all
 */
public record AttentionShape(float scale, OptionalInt window) {}
