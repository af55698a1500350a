/**
 * Bookkeeping of a paged KV cache: which block of a fixed pool belongs to which sequence, which are
 * shared, and which prefixes are kept for prompts to come. No tensor is touched here: a block is a
 * number, and the engine keeps the keys and values of its tokens under that number.
 *
 * <p>{@link dev.vllmmlx.cache.PagedCache} is the pool together with its prefix index, and {@link
 * dev.vllmmlx.cache.BlockTable} is one sequence. Everything here is used by one thread, the one
 * that owns the engine, and nothing is synchronized; records may go anywhere. This package knows no
 * other module and no library.
 */
package dev.vllmmlx.cache;
