package dev.vllmmlx.cache;

import dev.vllmmlx.cache.PrefixIndex.Beginning;
import dev.vllmmlx.cache.PrefixIndex.Entry;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;

/**
 * A pool of blocks of a KV cache, and the index of the prefixes that are in it. Blocks are numbers
 * from 0; the engine keeps keys and values of {@link #blockSize()} tokens, of all layers, under
 * each.
 *
 * <p>A full block of a sequence is published in the index by a chained hash: over the lineage, all
 * tokens before it and its own. It never changes from then on, and serves every prompt of that
 * lineage that begins with the same tokens, as long as it is held or kept; a prompt that shares
 * only the first of its tokens gets a copy, and goes on in it. When no block is free, the kept
 * block is evicted that was let go longest ago. Sequences let go of their last block first, and
 * whoever holds a block holds all that come before it: thus a block is never evicted before the
 * ones that follow it, which nobody could reach any more.
 *
 * <p>Used by one thread, the engine's. Nothing here is synchronized.
 */
public final class PagedCache {
  private final int blockSize;
  private final boolean reuse;
  private final BlockStore store;
  private final BlockHash hash;
  private final BlockPool pool;
  private final PrefixIndex index;

  /** Entries that the store has not got yet, in the order of their publication. */
  private final SequencedSet<Entry> unspilled = new LinkedHashSet<>();

  private final Map<PrefixOutcome, Long> promptTokens = new EnumMap<>(PrefixOutcome.class);
  private long evictions;
  private long copies;

  /**
   * A cache without a second place for blocks.
   *
   * @param blocks how many, at least 1
   * @param blockSize tokens of a block, at least 1
   * @param reuse whether prefixes are published and reused
   */
  public PagedCache(int blocks, int blockSize, boolean reuse) {
    this(blocks, blockSize, reuse, BlockStore.NONE);
  }

  /**
   * @param store where blocks are kept beside the pool and missing ones may come from, if {@code
   *     reuse}
   * @see #PagedCache(int, int, boolean)
   */
  public PagedCache(int blocks, int blockSize, boolean reuse, BlockStore store) {
    this(blocks, blockSize, reuse, store, new Sha256BlockHash());
  }

  PagedCache(int blocks, int blockSize, boolean reuse, BlockStore store, BlockHash hash) {
    if (blocks < 1 || blockSize < 1) {
      throw new IllegalArgumentException(
          "a cache of %d blocks of %d tokens".formatted(blocks, blockSize));
    }
    this.blockSize = blockSize;
    this.reuse = reuse;
    this.store = store;
    this.hash = hash;
    this.pool = new BlockPool(blocks);
    this.index = new PrefixIndex(blocks);
    for (var outcome : PrefixOutcome.values()) {
      promptTokens.put(outcome, 0L);
    }
  }

  /** Tokens of a block. */
  public int blockSize() {
    return blockSize;
  }

  /** A sequence without tokens, which holds no block yet. */
  public BlockTable open(Lineage lineage) {
    return new BlockTable(this, lineage, hash.root(lineage));
  }

  /**
   * With how many full blocks a prompt begins that sequences hold at this moment: {@link
   * BlockTable#reuse} adopts them, and none of the {@link #available} ones is taken for them.
   * Nothing is changed or counted.
   *
   * @param count how many of {@code tokens} are the prompt
   */
  public int heldBlocks(Lineage lineage, int[] tokens, int count) {
    var most = Math.max(0, count - 1) / blockSize;
    var root = hash.root(lineage);
    Entry parent = null;
    for (var held = 0; held < most; held++) {
      var from = held * blockSize;
      var entry = index.find(key(keyOf(parent, root), tokens, from));
      if (entry == null
          || pool.holders(entry.block()) == 0
          || !entry.is(lineage, parent, tokens, from)) {
        return held;
      }
      parent = entry;
    }
    return most;
  }

  /**
   * Hands the store blocks that were published and that it has not got yet, until it wants no more
   * of them for now. A block comes after those that it follows. To be called between steps.
   */
  public void spill() {
    while (!unspilled.isEmpty() && offered(unspilled.getFirst())) {
      unspilled.removeFirst();
    }
  }

  private boolean offered(Entry entry) {
    return store.published(prefix(entry), entry.block());
  }

  /**
   * Evicts whatever nobody holds: before the engine closes, after {@link #spill}, or to forget it.
   */
  public void evictAll() {
    while (pool.kept() > 0) {
      evictOldest();
    }
  }

  /** How full the pool is at this moment, and the counters since the start. */
  public PoolStatus status() {
    return new PoolStatus(
        pool.total(),
        pool.total() - pool.available(),
        pool.kept(),
        pool.free(),
        evictions,
        copies,
        promptTokens);
  }

  /** Blocks that are free or can be evicted. */
  public int available() {
    return pool.available();
  }

  /** Takes a free block, or else evicts one; one must be available. */
  int take() {
    if (pool.free() == 0) {
      evictOldest();
    }
    return pool.take();
  }

  void hold(int block) {
    pool.hold(block);
  }

  void letGo(int block) {
    pool.letGo(block, indexed(block));
  }

  /** Whether prompts to come may begin with the block. */
  boolean indexed(int block) {
    return index.of(block) != null;
  }

  /** Whether nobody else would see what is written to the block. */
  boolean writable(int block) {
    return pool.holders(block) == 1 && !indexed(block);
  }

  /** Whether the caller is the block's one holder, and it is in the index. */
  boolean withdrawable(int block) {
    return pool.holders(block) == 1 && indexed(block);
  }

  /** Takes such a block out of the index, where none may follow it, so that it can be written. */
  void withdraw(int block) {
    evict(index.of(block));
  }

  void countCopy() {
    copies++;
  }

  /** Adds what became of a prompt's tokens to the counters. */
  void count(Map<PrefixOutcome, Long> tokens) {
    tokens.forEach((outcome, count) -> promptTokens.merge(outcome, count, Long::sum));
  }

  /**
   * What was found for one full block.
   *
   * @param block the block, held for the caller; meaningless unless {@code outcome} is a hit
   */
  record Match(PrefixOutcome outcome, int block) {
    static Match miss(PrefixOutcome outcome) {
      return new Match(outcome, -1);
    }
  }

  /**
   * Seeks the full block of the tokens from {@code from}.
   *
   * @param root key of the lineage
   * @param before the block that it follows, which is in the index and held; -1 for none
   */
  Match match(Lineage lineage, BlockKey root, int before, int[] tokens, int from) {
    if (!reuse) {
      return Match.miss(PrefixOutcome.OFF);
    }
    var parent = entryOf(before);
    var parentKey = keyOf(parent, root);
    var key = key(parentKey, tokens, from);
    var entry = index.find(key);
    if (entry != null) {
      if (!entry.is(lineage, parent, tokens, from)) {
        return Match.miss(PrefixOutcome.COLLISION);
      }
      pool.hold(entry.block());
      return new Match(PrefixOutcome.CACHED, entry.block());
    }
    if (available() > 0 && store.has(parentKey, key)) {
      var block = take();
      var prefix = new Prefix(lineage, parentKey, key, tokens, from + blockSize);
      if (load(fullEntry(key, lineage, parent, tokens, from, block), prefix)) {
        return new Match(PrefixOutcome.LOADED, block);
      }
    }
    return Match.miss(index.wasEvicted(key) ? PrefixOutcome.EVICTED : PrefixOutcome.UNSEEN);
  }

  /**
   * Seeks the block behind {@code before} that has the most first tokens in common with those from
   * {@code from} to before {@code to}, at most a block; it is held for the caller.
   *
   * @param before as in {@link #match}
   */
  Optional<Beginning> beginning(Lineage lineage, int before, int[] tokens, int from, int to) {
    var likest = index.likest(lineage, entryOf(before), tokens, from, to);
    likest.ifPresent(found -> pool.hold(found.block()));
    return likest;
  }

  private boolean load(Entry entry, Prefix prefix) {
    var loaded = false;
    try {
      loaded = store.load(prefix, entry.block());
    } finally {
      if (loaded) {
        index.add(entry);
      } else {
        letGo(entry.block());
      }
    }
    return loaded;
  }

  /**
   * Puts a block that became full into the index.
   *
   * @param before as in {@link #match}, but it need not be in the index: then this block cannot be
   * @param block the block of the tokens from {@code from}, which the caller holds
   * @return the block that the caller holds from now on: the given one, or its twin in the index,
   *     for which the given one was let go
   */
  int publish(Lineage lineage, BlockKey root, int before, int[] tokens, int from, int block) {
    if (!isToFollow(before)) {
      return block;
    }
    var parent = entryOf(before);
    var key = key(keyOf(parent, root), tokens, from);
    var twin = index.find(key);
    if (twin == null) {
      var entry = fullEntry(key, lineage, parent, tokens, from, block);
      index.add(entry);
      if (store != BlockStore.NONE) {
        unspilled.add(entry);
      }
      return block;
    }
    if (!twin.is(lineage, parent, tokens, from)) {
      return block;
    }
    pool.hold(twin.block());
    letGo(block);
    return twin.block();
  }

  /**
   * Puts a block into the index that will not become full, unless others hold it, who may have more
   * in it, or there is one that begins as it does.
   *
   * @param before as in {@link #publish}
   * @param block of the tokens from {@code from} to before {@code to}; the caller holds it, and
   *     writes to it no more
   */
  void publishPart(Lineage lineage, int before, int[] tokens, int from, int to, int block) {
    if (!isToFollow(before) || !writable(block)) {
      return;
    }
    var parent = entryOf(before);
    var known = index.likest(lineage, parent, tokens, from, to);
    if (known.filter(likest -> likest.count() == to - from).isEmpty()) {
      var part = Arrays.copyOfRange(tokens, from, to);
      index.add(new Entry(Optional.empty(), lineage, parent, part, block));
    }
  }

  private Prefix prefix(Entry entry) {
    var lineage = entry.lineage();
    var tokens = entry.prefix();
    return new Prefix(
        lineage, keyOf(entry.parent(), hash.root(lineage)), entry.key(), tokens, tokens.length);
  }

  /** Of the full block of the tokens from {@code from}, after the block of that key. */
  private BlockKey key(BlockKey before, int[] tokens, int from) {
    return hash.next(before, tokens, from, blockSize);
  }

  /** Of the block before, or its lineage's root where there is none, and {@code parent} is null. */
  private static BlockKey keyOf(Entry parent, BlockKey root) {
    return parent == null ? root : parent.key();
  }

  /** Of the block before; null where there is none, or it is not in the index. */
  private Entry entryOf(int before) {
    return before < 0 ? null : index.of(before);
  }

  /** Whether the index takes what follows that block. */
  private boolean isToFollow(int before) {
    return reuse && (before < 0 || indexed(before));
  }

  private Entry fullEntry(
      BlockKey key, Lineage lineage, Entry parent, int[] tokens, int from, int block) {
    var own = Arrays.copyOfRange(tokens, from, from + blockSize);
    return new Entry(Optional.of(key), lineage, parent, own, block);
  }

  private void evictOldest() {
    var oldest = pool.oldest();
    evict(index.of(oldest));
    pool.discard(oldest);
  }

  private void evict(Entry entry) {
    if (store != BlockStore.NONE && entry.full()) {
      store.evicted(prefix(entry), entry.block());
      unspilled.remove(entry);
    }
    index.remove(entry);
    evictions++;
  }
}
