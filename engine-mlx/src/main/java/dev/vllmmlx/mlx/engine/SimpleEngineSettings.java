package dev.vllmmlx.mlx.engine;

/**
 * How a simple engine works.
 *
 * @param maxQueue requests that may wait beside the one that runs
 * @param prefillChunk tokens of a prompt that one pass computes; between passes a cancellation
 *     takes effect
 * @param promptCaches sequences whose KV cache is kept for their next turn
 * @param promptCacheBytes memory that these may take together
 */
record SimpleEngineSettings(
    int maxQueue, int prefillChunk, int promptCaches, long promptCacheBytes) {}
