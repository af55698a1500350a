/**
 * What a model's answers look like: thinking, then text and calls. Puts the formats of {@link
 * dev.vllmmlx.text.reasoning} and {@link dev.vllmmlx.text.tools} together, for those who read
 * answers and for those who constrain them.
 */
package dev.vllmmlx.text.answer;
