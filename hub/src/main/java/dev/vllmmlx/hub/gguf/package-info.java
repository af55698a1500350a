/**
 * What the header of a GGUF file says: metadata (model, tokenizer, chat template) and the table of
 * its tensors. The tensors' data is MLX's to read, not ours.
 *
 * <p>The format is described in ggml's {@code docs/gguf.md}. Files come from anywhere, so nothing
 * in them is believed: every length is checked against the file before it is used.
 */
package dev.vllmmlx.hub.gguf;
