package dev.vllmmlx.cache;

/**
 * A second place for blocks, such as a disk. Called by the engine's thread, in the midst of {@link
 * BlockTable#reuse}, {@link BlockTable#reserve} and {@link PagedCache#spill}: it must be quick,
 * must not call the cache, and must not throw; what it cannot do it passes over.
 */
public interface BlockStore {

  /** Keeps nothing. */
  BlockStore NONE =
      new BlockStore() {
        @Override
        public boolean published(Prefix prefix, int block) {
          return true;
        }

        @Override
        public void evicted(Prefix prefix, int block) {}

        @Override
        public boolean has(BlockKey parent, BlockKey key) {
          return false;
        }

        @Override
        public boolean load(Prefix prefix, int into) {
          return false;
        }
      };

  /**
   * A full block is in the index, and its keys and values are written.
   *
   * @return false to be asked again at the next {@link PagedCache#spill}
   */
  boolean published(Prefix prefix, int block);

  /**
   * A full block leaves the index. Its keys and values are still there, but will be overwritten
   * after this call.
   */
  void evicted(Prefix prefix, int block);

  /**
   * Whether {@link #load} is worth a try. To give it a block, another may have to be evicted.
   *
   * @param parent key of the block before, or of the lineage's root
   */
  boolean has(BlockKey parent, BlockKey key);

  /**
   * Writes the keys and values of a block.
   *
   * @param prefix what the block must hold: the store compares all of it with what it kept
   * @param into the block to write
   * @return whether it was written; if not, its contents do not matter
   */
  boolean load(Prefix prefix, int into);
}
