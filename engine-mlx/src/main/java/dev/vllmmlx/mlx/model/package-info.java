/**
 * Model families: what {@code config.json} says, and the layers that a family composes by it.
 *
 * <p>A new family is one class that implements {@link dev.vllmmlx.mlx.model.ModelFamily} and one
 * line in {@link dev.vllmmlx.mlx.model.ModelFamilies#standard}. Families may use layers and {@link
 * dev.vllmmlx.mlx.model.Weights}, and never read files.
 */
package dev.vllmmlx.mlx.model;
