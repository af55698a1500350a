/**
 * Ids and text: what a checkpoint's tokenizer says, exactly as Python's {@code tokenizers} would
 * say it.
 *
 * <p>The door is {@link dev.vllmmlx.text.tokenizer.Tokenizer}, made from a folder's tokenizer.json
 * or from a GGUF file's metadata, which is turned into a tokenizer.json first, so that there is one
 * way in. Encoding is Hugging Face's own library; decoding is written here, as a stream ({@link
 * dev.vllmmlx.text.tokenizer.StreamingDetokenizer}), and a whole text is a stream that ends at
 * once.
 *
 * <p>Chat templates are handed on as source text; rendering them is another package's.
 */
package dev.vllmmlx.text.tokenizer;
