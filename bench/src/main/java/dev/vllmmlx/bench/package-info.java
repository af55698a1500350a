/**
 * Micro-benchmarks by JMH: single operations and the text layer. What they measure is reached
 * through the public classes of its module, so that a benchmark needs no door of its own.
 */
package dev.vllmmlx.bench;
