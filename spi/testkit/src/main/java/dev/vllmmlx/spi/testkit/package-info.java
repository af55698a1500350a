/**
 * The contract of {@link dev.vllmmlx.spi.Engine}, as tests. Who writes an engine extends {@link
 * dev.vllmmlx.spi.testkit.EngineContractTest} and runs it.
 */
package dev.vllmmlx.spi.testkit;
