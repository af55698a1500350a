package dev.vllmmlx.cache;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.SequencedSet;

/**
 * The full blocks that prompts to come may begin with, by their keys. A key only leads to an entry;
 * whether it is the right one its lineage, parent and tokens say.
 */
final class PrefixIndex {
  private final Map<BlockKey, Entry> entries = new HashMap<>();
  private final Entry[] ofBlock;

  /** Keys that were evicted last, as many as there are blocks, the first one longest ago. */
  private final SequencedSet<BlockKey> evicted = new LinkedHashSet<>();

  PrefixIndex(int blocks) {
    ofBlock = new Entry[blocks];
  }

  /**
   * A full block at the end of a chain. The parent is the entry itself, and an entry outlives those
   * that follow it: so equal tokens here and the same parent mean equal tokens from position 0.
   */
  static final class Entry {
    private final BlockKey key;
    private final Lineage lineage;
    private final Entry parent;
    private final int[] tokens;
    private final int block;

    /**
     * @param parent the entry of the block before, null for the first
     */
    Entry(BlockKey key, Lineage lineage, Entry parent, int[] tokens, int block) {
      this.key = key;
      this.lineage = lineage;
      this.parent = parent;
      this.tokens = tokens;
      this.block = block;
    }

    BlockKey key() {
      return key;
    }

    Lineage lineage() {
      return lineage;
    }

    /** Null for the first. */
    Entry parent() {
      return parent;
    }

    /** All tokens from position 0 to the block's last; a new array. */
    int[] prefix() {
      var blocks = 0;
      for (var at = this; at != null; at = at.parent) {
        blocks++;
      }
      var size = tokens.length;
      var all = new int[blocks * size];
      for (var at = this; at != null; at = at.parent) {
        System.arraycopy(at.tokens, 0, all, --blocks * size, size);
      }
      return all;
    }

    int block() {
      return block;
    }

    boolean is(Lineage lineage, Entry parent, int[] tokens, int from) {
      return this.parent == parent
          && this.lineage.equals(lineage)
          && Arrays.equals(
              this.tokens, 0, this.tokens.length, tokens, from, from + this.tokens.length);
    }
  }

  /** The one entry of that key, or null; not yet compared with anything. */
  Entry find(BlockKey key) {
    return entries.get(key);
  }

  /** The entry of a block, or null if it is in no chain. */
  Entry of(int block) {
    return ofBlock[block];
  }

  /** The key must be new. */
  void add(Entry entry) {
    entries.put(entry.key, entry);
    ofBlock[entry.block] = entry;
    evicted.remove(entry.key);
  }

  void remove(Entry entry) {
    entries.remove(entry.key);
    ofBlock[entry.block] = null;
    evicted.add(entry.key);
    if (evicted.size() > ofBlock.length) {
      evicted.removeFirst();
    }
  }

  boolean wasEvicted(BlockKey key) {
    return evicted.contains(key);
  }
}
