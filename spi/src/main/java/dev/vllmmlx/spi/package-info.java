/**
 * What an engine is: the contract between the gateway and whatever generates tokens.
 *
 * <p>Records and interfaces only, and no dependency but the JDK, so that a plugin built years apart
 * from the gateway still loads. The gateway finds an {@link dev.vllmmlx.spi.EngineProvider} by
 * {@link java.util.ServiceLoader}, opens one {@link dev.vllmmlx.spi.Engine}, and sends it {@link
 * dev.vllmmlx.spi.GenerationRequest}s; the engine answers with {@link
 * dev.vllmmlx.spi.GenerationEvent}s. An engine proves that it keeps the contract by running the
 * testkit.
 *
 * <p>No reference in this package is ever {@code null}; what may be absent is an {@code Optional}.
 * Every collection in a record is copied and unmodifiable. Durations are {@link
 * java.time.Duration}s, tokens are counted in tokens of the engine's own vocabulary, and text is
 * UTF-16 as Java has it, never cut inside a character.
 */
package dev.vllmmlx.spi;
