/**
 * How models mark what they think before they answer, and what tells it from the answer.
 *
 * <p>May be touched: {@link dev.vllmmlx.text.reasoning.ReasoningFormats} has a constant for each
 * format. Most are a pair of marks ({@link dev.vllmmlx.text.reasoning.TaggedReasoning}); harmony
 * has messages with headers ({@link dev.vllmmlx.text.reasoning.HarmonyReasoning}).
 */
package dev.vllmmlx.text.reasoning;
