package dev.vllmmlx.cache;

/**
 * Who holds which block. A block is held (by one sequence or more), or kept (nobody holds it, the
 * index knows it), or free. Kept blocks stand in the order in which they were let go. Every step
 * takes constant time and allocates nothing.
 */
final class BlockPool {
  /** Holders of each block. */
  private final int[] holders;

  /** A ring of the kept blocks through {@link #ring}: after it stands the one let go first. */
  private final int[] next;

  private final int[] previous;
  private final int ring;
  private int kept;

  /** A stack. */
  private final int[] free;

  private int freeCount;

  BlockPool(int blocks) {
    holders = new int[blocks];
    next = new int[blocks + 1];
    previous = new int[blocks + 1];
    ring = blocks;
    next[ring] = ring;
    previous[ring] = ring;
    free = new int[blocks];
    for (var block = blocks - 1; block >= 0; block--) {
      free[freeCount++] = block;
    }
  }

  int total() {
    return holders.length;
  }

  int kept() {
    return kept;
  }

  int free() {
    return freeCount;
  }

  int available() {
    return freeCount + kept;
  }

  int holders(int block) {
    return holders[block];
  }

  /** A free block, of which there must be one; the caller is its one holder. */
  int take() {
    var block = free[--freeCount];
    holders[block] = 1;
    return block;
  }

  /** One more holder, of a block that is held or kept. */
  void hold(int block) {
    if (holders[block]++ == 0) {
      unlink(block);
    }
  }

  /** One holder less. After the last one the block is kept, or else free. */
  void letGo(int block, boolean keep) {
    if (--holders[block] > 0) {
      return;
    }
    if (keep) {
      var newest = previous[ring];
      next[newest] = block;
      previous[block] = newest;
      next[block] = ring;
      previous[ring] = block;
      kept++;
    } else {
      free[freeCount++] = block;
    }
  }

  /** The kept block that was let go first; there must be one. */
  int oldest() {
    return next[ring];
  }

  /** A kept block becomes free. */
  void discard(int block) {
    unlink(block);
    free[freeCount++] = block;
  }

  private void unlink(int block) {
    next[previous[block]] = next[block];
    previous[next[block]] = previous[block];
    kept--;
  }
}
