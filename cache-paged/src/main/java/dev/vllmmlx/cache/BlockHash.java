package dev.vllmmlx.cache;

/** How the keys of a chain of blocks are made. A bad one costs hits, never a wrong answer. */
interface BlockHash {

  /** What the first block of a sequence has in place of its parent's key. */
  BlockKey root(Lineage lineage);

  /** The key of a block of {@code count} tokens from {@code from} that follows {@code parent}. */
  BlockKey next(BlockKey parent, int[] tokens, int from, int count);
}
