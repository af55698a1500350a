package dev.vllmmlx.mlx.model;

import java.util.OptionalInt;

/**
 * What one layer keeps of each token: a key and a value of {@code [kvHeads, headDim]} each.
 *
 * @param window tokens that the layer looks back over, its own included; empty for all
 */
public record KvLayer(int kvHeads, int headDim, OptionalInt window) {}
