/**
 * An engine without a model: it answers with the prompt's own words. Deterministic, so that a
 * gateway can be tested to the letter; without work of its own, so that overhead can be measured;
 * and small, so that whoever writes an engine can read one whole.
 */
package dev.vllmmlx.echo;
