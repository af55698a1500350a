package dev.vllmmlx.cache;

/**
 * A second place for blocks that the pool has no room for, such as a disk. Called by the engine's
 * thread, in the midst of {@link BlockTable#reuse} and {@link BlockTable#reserve}: it must be
 * quick, must not call the cache, and must not throw; what it cannot do it passes over.
 */
public interface BlockStore {

  /** Keeps nothing. */
  BlockStore NONE =
      new BlockStore() {
        @Override
        public void evicted(BlockKey key, int[] tokens, int block) {}

        @Override
        public boolean has(BlockKey key) {
          return false;
        }

        @Override
        public boolean load(BlockKey key, int[] tokens, int into) {
          return false;
        }
      };

  /**
   * A full block leaves the index. Its keys and values are still there, but will be overwritten
   * after this call.
   *
   * @param tokens what the block holds; not to be changed
   */
  void evicted(BlockKey key, int[] tokens, int block);

  /** Whether {@link #load} is worth a try. To give it a block, another may have to be evicted. */
  boolean has(BlockKey key);

  /**
   * Writes the keys and values of a block.
   *
   * @param tokens what the block must hold: the store compares them with what it kept
   * @param into the block to write
   * @return whether it was written; if not, its contents do not matter
   */
  boolean load(BlockKey key, int[] tokens, int into);
}
