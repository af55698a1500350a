package dev.vllmmlx.mlx.sample;

import java.util.Optional;

/**
 * What a step chose.
 *
 * @param id the token
 * @param likelihoods how likely it was, where the request wants to know
 */
public record SampledToken(int id, Optional<Likelihoods> likelihoods) {}
