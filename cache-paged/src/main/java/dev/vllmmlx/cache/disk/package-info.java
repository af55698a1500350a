/**
 * A {@link dev.vllmmlx.cache.BlockStore} of files: blocks outlive the pool and the process.
 *
 * <p>{@link dev.vllmmlx.cache.disk.DiskStore} is the store, {@link
 * dev.vllmmlx.cache.disk.BlockFile} what is in a file, and {@link
 * dev.vllmmlx.cache.disk.BlockFolder} which files there are and which go when there are too many.
 * The engine's thread copies bytes to and from the pool and reads files; a thread of the store's
 * own writes them.
 */
package dev.vllmmlx.cache.disk;
