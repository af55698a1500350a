package dev.vllmmlx.cache;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;

/**
 * The blocks that prompts to come may begin with: full ones by their keys, and all by what they
 * follow. A key only leads to an entry; whether it is the right one its lineage, parent and tokens
 * say.
 */
final class PrefixIndex {
  private final Map<BlockKey, Entry> entries = new HashMap<>();
  private final Entry[] ofBlock;

  /** Entries without a parent. */
  private final Map<Lineage, SequencedSet<Entry>> firsts = new HashMap<>();

  /** Keys that were evicted last, as many as there are blocks, the first one longest ago. */
  private final SequencedSet<BlockKey> evicted = new LinkedHashSet<>();

  PrefixIndex(int blocks) {
    ofBlock = new Entry[blocks];
  }

  /**
   * A block at the end of a chain of full ones. The parent is the entry itself, and an entry
   * outlives those that follow it: so equal tokens here and the same parent mean equal tokens from
   * position 0.
   */
  static final class Entry {
    private final Optional<BlockKey> key;
    private final Lineage lineage;
    private final Entry parent;
    private final int[] tokens;
    private final int block;
    private final SequencedSet<Entry> followers = new LinkedHashSet<>(2);

    /**
     * @param key empty if the block is not full: nothing follows it
     * @param parent the entry of the block before, null for the first
     */
    Entry(Optional<BlockKey> key, Lineage lineage, Entry parent, int[] tokens, int block) {
      this.key = key;
      this.lineage = lineage;
      this.parent = parent;
      this.tokens = tokens;
      this.block = block;
    }

    boolean full() {
      return key.isPresent();
    }

    /** Of a full block. */
    BlockKey key() {
      return key.orElseThrow();
    }

    Lineage lineage() {
      return lineage;
    }

    /** Null for the first. */
    Entry parent() {
      return parent;
    }

    /** All tokens from position 0 to a full block's last; a new array. */
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

  /**
   * A block that begins with tokens that are sought.
   *
   * @param count how many of its first tokens are these, at least one
   */
  record Beginning(int block, int count) {}

  /**
   * The entry behind {@code parent} that has the most first tokens in common with those from {@code
   * from} to before {@code to}, at most a block; of several the oldest.
   *
   * @param parent null for the first block of a lineage
   */
  Optional<Beginning> likest(Lineage lineage, Entry parent, int[] tokens, int from, int to) {
    var candidates =
        parent == null ? firsts.getOrDefault(lineage, new LinkedHashSet<>()) : parent.followers;
    Entry likest = null;
    var most = 0;
    for (var entry : candidates) {
      var differ = Arrays.mismatch(entry.tokens, 0, entry.tokens.length, tokens, from, to);
      var common = differ < 0 ? to - from : differ;
      if (common > most) {
        likest = entry;
        most = common;
      }
    }
    return likest == null ? Optional.empty() : Optional.of(new Beginning(likest.block, most));
  }

  /** The key must be new. */
  void add(Entry entry) {
    entry.key.ifPresent(
        key -> {
          entries.put(key, entry);
          evicted.remove(key);
        });
    ofBlock[entry.block] = entry;
    if (entry.parent == null) {
      firsts.computeIfAbsent(entry.lineage, of -> new LinkedHashSet<>()).add(entry);
    } else {
      entry.parent.followers.add(entry);
    }
  }

  void remove(Entry entry) {
    entry.key.ifPresent(
        key -> {
          entries.remove(key);
          evicted.add(key);
        });
    if (evicted.size() > ofBlock.length) {
      evicted.removeFirst();
    }
    ofBlock[entry.block] = null;
    if (entry.parent == null) {
      firsts.computeIfPresent(
          entry.lineage, (of, all) -> all.remove(entry) && all.isEmpty() ? null : all);
    } else {
      entry.parent.followers.remove(entry);
    }
  }

  boolean wasEvicted(BlockKey key) {
    return evicted.contains(key);
  }
}
