/**
 * From a model's scores to one token: logits processors, truncation, one draw, log probabilities.
 *
 * <p>Pure Java on a {@code float[]} that the engine copied from MLX, one row of one sequence at a
 * time, so that a row is never touched by its neighbours in a batch and a seed means the same on
 * every machine. Only IEEE's basic operations decide what is drawn: no {@code Math.exp}, which may
 * differ in its last bit between JDKs and processors. Nothing is sorted but the few likeliest
 * tokens that a client wants named; truncation finds its threshold by counting.
 *
 * <p>{@link dev.vllmmlx.mlx.sample.Sampler} is the way in. This package knows {@code spi} and
 * nothing else: no MLX, no tokenizer, no threads.
 */
package dev.vllmmlx.mlx.sample;
