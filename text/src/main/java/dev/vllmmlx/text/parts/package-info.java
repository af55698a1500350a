/**
 * What an answer is made of, and what reads it from text that comes in pieces.
 *
 * <p>A {@link dev.vllmmlx.text.parts.PartReader} takes text as it is generated and gives {@link
 * dev.vllmmlx.text.parts.Part}s as soon as they are certain. However the text is cut into pieces,
 * the parts add up to the same. Reasoning and tool formats are readers in packages of their own.
 */
package dev.vllmmlx.text.parts;
