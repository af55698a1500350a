/**
 * Measures: a model through its engine ({@code vllm-mlx bench model}), and any OpenAI server under
 * load ({@code vllm-mlx bench serve}).
 *
 * <p>Nothing here knows an engine or this gateway's own server: a model is met through the SPI, a
 * server through HTTP. Figures are collected as records, and shown as a table, as JSON or as a page
 * by classes that compute nothing.
 */
package dev.vllmmlx.gateway.bench;
