package dev.vllmmlx.mlx.nn;

/**
 * What a rotary embedding is made of, but for its size.
 *
 * @param theta the base of the wavelengths, such as 10000
 * @param traditional neighbours {@code (2i, 2i+1)} make a pair; else {@code (i, i + dims/2)} do
 */
public record RopeConfig(double theta, boolean traditional, RopeScaling scaling) {}
