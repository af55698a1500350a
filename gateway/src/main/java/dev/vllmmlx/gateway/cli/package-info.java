/**
 * The command line: {@code vllm-mlx serve}, {@code engines}, {@code bench}, {@code download} and
 * {@code template}. It reads options, opens an engine from the catalogue and starts the gateway; it
 * knows no engine by name but the default one.
 */
package dev.vllmmlx.gateway.cli;
