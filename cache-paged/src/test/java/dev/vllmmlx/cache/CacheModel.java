package dev.vllmmlx.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Drives a {@link PagedCache} as an engine does, with a memory beside it: a row is what a real
 * engine's keys and values depend on, the lineage and all tokens up to that position. After every
 * call each open sequence must find its own rows through its table; and a plain account of what is
 * published, held and let go must foretell what the cache does.
 */
final class CacheModel implements BlockStore {
  record Row(Lineage lineage, List<Integer> prefix) {}

  private record Published(Row row, int block) {}

  /** A sequence, and the end of the room that was reserved for it. */
  static final class Sequence {
    private final BlockTable table;
    private final Lineage lineage;
    private final List<Integer> tokens = new ArrayList<>();
    private int room;

    /** Tokens of the prompt until the first append, at which the cache counts them. */
    private int uncounted;

    private int adopted;

    private Sequence(BlockTable table, Lineage lineage) {
      this.table = table;
      this.lineage = lineage;
    }

    int adopted() {
      return adopted;
    }

    int length() {
      return tokens.size();
    }
  }

  private final int total;
  private final int blockSize;
  private final boolean reuse;
  private final BlockHash hash;
  private final PagedCache cache;
  private final Row[][] memory;
  private final List<Sequence> open = new ArrayList<>();
  private final Queue<BlockCopy> copies = new ArrayDeque<>();
  private final Map<BlockKey, Published> published = new HashMap<>();

  /** Blocks of the index that are not full, and what their last row is. */
  private final Map<Integer, Row> parts = new HashMap<>();

  private int left;

  private final long[] letGoAt;
  private Set<Integer> held = new HashSet<>();

  /** What the second place keeps; it loses a block now and then. */
  private final Map<BlockKey, Row[]> second = new HashMap<>();

  private final boolean hasSecond;

  /** Blocks of the index that the second place took, or came from it. */
  private final Set<BlockKey> offered = new HashSet<>();

  private int refusals;
  private long clock;
  private long evictions;
  private long hits;
  private long prompts;

  /**
   * @param hasSecond whether evicted blocks can come back; only with a good hash
   */
  CacheModel(int total, int blockSize, boolean reuse, BlockHash hash, boolean hasSecond) {
    this.total = total;
    this.blockSize = blockSize;
    this.reuse = reuse;
    this.hash = hash;
    this.hasSecond = hasSecond;
    cache = new PagedCache(total, blockSize, reuse, this, hash);
    memory = new Row[total][blockSize];
    letGoAt = new long[total];
    check();
  }

  List<Sequence> open() {
    return open;
  }

  /** Blocks that sequences left to others before they were full. */
  int left() {
    return left;
  }

  PoolStatus status() {
    return cache.status();
  }

  Sequence open(Lineage lineage, int[] prompt) {
    var ofOthers =
        open.stream()
            .flatMapToInt(each -> Arrays.stream(each.table.blocks()))
            .boxed()
            .collect(Collectors.toSet());
    var shared = cache.heldBlocks(lineage, prompt, prompt.length);
    var sequence = new Sequence(cache.open(lineage), lineage);
    open.add(sequence);
    var full = cachedPrefix(lineage, prompt);
    var adopted = sequence.table.reuse(prompt, prompt.length);
    // What it loaded may have taken the place of blocks that it could have begun with.
    forgetEvictedParts();
    assertThat(adopted).isEqualTo(full + beginning(lineage, prompt, full));
    var ofFull = Arrays.stream(sequence.table.blocks()).limit(full / blockSize);
    assertThat(ofFull.filter(ofOthers::contains)).hasSize(shared);
    for (var i = 0; i < adopted; i++) {
      sequence.tokens.add(prompt[i]);
    }
    sequence.room = adopted;
    sequence.uncounted = prompt.length;
    sequence.adopted = adopted;
    checkBooks();
    if (reserve(sequence, prompt.length - adopted)) {
      carryOutCopies();
      append(sequence, Arrays.copyOfRange(prompt, adopted, prompt.length));
    }
    check();
    return sequence;
  }

  /**
   * What the index and the second place will give, by the account alone; enters it in {@link
   * #held}.
   */
  private int cachedPrefix(Lineage lineage, int[] prompt) {
    var length = 0;
    var loads = 0;
    var key = hash.root(lineage);
    while (reuse && length + blockSize < prompt.length) {
      key = hash.next(key, prompt, length, blockSize);
      var there = published.get(key);
      if (there != null) {
        if (!there.row.equals(row(lineage, prompt, length + blockSize))) {
          break;
        }
        held.add(there.block);
      } else if (second.containsKey(key) && !loses(key) && held.size() + loads < total) {
        loads++;
      } else {
        break;
      }
      length += blockSize;
    }
    return length;
  }

  /** The most first tokens of a block behind {@code from} that are the prompt's. */
  private int beginning(Lineage lineage, int[] prompt, int from) {
    var most = 0;
    for (var row : indexed()) {
      var length = row.prefix.size();
      if (row.lineage.equals(lineage) && length > from && length <= from + blockSize) {
        var common = 0;
        while (common < Math.min(length, prompt.length - 1)
            && row.prefix.get(common) == prompt[common]) {
          common++;
        }
        most = Math.max(most, common - from);
      }
    }
    return most;
  }

  private List<Row> indexed() {
    var full = published.values().stream().map(Published::row);
    return Stream.concat(full, parts.values().stream()).toList();
  }

  boolean reserve(Sequence sequence, int count) {
    var status = cache.status();
    var before = blocksOfAll();
    var blocks = sequence.table.blocks();
    var further = Math.max(0, Math.ceilDiv(sequence.length() + count, blockSize) - blocks.length);
    var result = sequence.table.reserve(count);

    var writesPartial = sequence.length() + count > sequence.room && offset(sequence) != 0;
    var shared = writesPartial && holders(blocks[sequence.length() / blockSize]) > 1;
    var mustFail = further > status.available() || (further == status.available() && shared);
    assertThat(result.isEmpty()).isEqualTo(mustFail);
    if (result.isEmpty()) {
      assertThat(cache.status()).isEqualTo(status);
      assertThat(blocksOfAll()).isEqualTo(before);
      return false;
    }
    assertThat(sequence.table.blocks()).hasSize(blocks.length + further);
    copies.addAll(result.get());
    sequence.room = Math.max(sequence.room, sequence.length() + count);
    checkBooks();
    return true;
  }

  /** As a step does, for all that was reserved, in order. */
  void carryOutCopies() {
    for (var copy = copies.poll(); copy != null; copy = copies.poll()) {
      memory[copy.to()] = memory[copy.from()].clone();
    }
  }

  /** A step that fails after it wrote. */
  void write(Sequence sequence, int[] tokens) {
    var all = new ArrayList<>(sequence.tokens);
    var blocks = sequence.table.blocks();
    for (var token : tokens) {
      var position = all.size();
      all.add(token);
      memory[blocks[position / blockSize]][position % blockSize] =
          new Row(sequence.lineage, List.copyOf(all));
    }
  }

  void append(Sequence sequence, int[] tokens) {
    write(sequence, tokens);
    var full = sequence.length() / blockSize;
    var blocks = sequence.table.blocks();
    for (var token : tokens) {
      sequence.tokens.add(token);
    }
    for (; full < sequence.length() / blockSize; full++) {
      publish(sequence, full, blocks);
    }
    if (sequence.uncounted > 0) {
      hits += sequence.adopted;
      prompts += sequence.uncounted;
      sequence.uncounted = 0;
    }
    sequence.table.append(tokens, 0, tokens.length);
    assertThat(sequence.table.blocks()).isEqualTo(blocks);
    cache.spill();
    check();
  }

  /** Enters the block in the account, and in {@code blocks} what the table must hold for it. */
  private void publish(Sequence sequence, int at, int[] blocks) {
    var before = keyBefore(sequence, blocks, at);
    if (before.isPresent()) {
      var all = ints(sequence.tokens);
      var mine = new Published(row(sequence.lineage, all, (at + 1) * blockSize), blocks[at]);
      var key = hash.next(before.get(), all, at * blockSize, blockSize);
      var there = published.putIfAbsent(key, mine);
      if (there != null && there.row.equals(mine.row)) {
        blocks[at] = there.block;
      }
    }
  }

  /** What a block at that place follows, if the index has the very blocks before it. */
  private Optional<BlockKey> keyBefore(Sequence sequence, int[] blocks, int at) {
    var all = ints(sequence.tokens);
    var key = hash.root(sequence.lineage);
    for (var i = 0; i < at; i++) {
      key = hash.next(key, all, i * blockSize, blockSize);
      var before = published.get(key);
      if (before == null || before.block != blocks[i]) {
        return Optional.empty();
      }
    }
    return reuse ? Optional.of(key) : Optional.empty();
  }

  Sequence fork(Sequence sequence) {
    var fork = new Sequence(sequence.table.fork(), sequence.lineage);
    fork.tokens.addAll(sequence.tokens);
    fork.room = fork.length();
    sequence.room = sequence.length();
    open.add(fork);
    check();
    return fork;
  }

  void truncate(Sequence sequence, int length) {
    sequence.table.truncate(length);
    sequence.tokens.subList(length, sequence.length()).clear();
    sequence.room = length;
    check();
  }

  void close(Sequence sequence) {
    sequence.table.close();
    sequence.table.close();
    open.remove(sequence);
    check();
  }

  /** Closes it, and leaves its last block to others. */
  void leave(Sequence sequence) {
    var at = sequence.length() / blockSize;
    var blocks = sequence.table.blocks();
    if (offset(sequence) != 0
        && keyBefore(sequence, blocks, at).isPresent()
        && holders(blocks[at]) == 1
        && !cache.indexed(blocks[at])) {
      var tokens = ints(sequence.tokens);
      var asPrompt = Arrays.copyOf(tokens, tokens.length + 1);
      if (beginning(sequence.lineage, asPrompt, at * blockSize) < offset(sequence)) {
        parts.put(blocks[at], row(sequence.lineage, tokens, tokens.length));
        left++;
      }
    }
    sequence.table.leave();
    sequence.table.leave();
    open.remove(sequence);
    check();
  }

  /** Everything closed: all blocks are free or cached, and a sequence alone can have them all. */
  void end() {
    carryOutCopies();
    List.copyOf(open).forEach(this::close);
    assertThat(cache.status().used()).isZero();
    var alone = new Sequence(cache.open(new Lineage("another", "", "")), null);
    open.add(alone);
    assertThat(reserve(alone, total * blockSize)).isTrue();
    assertThat(Arrays.stream(alone.table.blocks()).distinct()).hasSize(total);
    assertThat(indexed()).isEmpty();
    close(alone);
    assertThat(cache.status().free()).isEqualTo(total);
  }

  @Override
  public boolean published(Prefix prefix, int block) {
    assertThat(offered.add(prefix.key())).as("taken before").isTrue();
    var there = published.get(prefix.key());
    checkIs(there, prefix, block);
    if (refusals++ % 3 == 0) {
      offered.remove(prefix.key());
      return false;
    }
    if (hasSecond) {
      second.put(prefix.key(), memory[block].clone());
    }
    return true;
  }

  @Override
  public void evicted(Prefix prefix, int block) {
    var key = prefix.key();
    var gone = published.remove(key);
    checkIs(gone, prefix, block);
    offered.remove(key);
    if (hasSecond) {
      second.put(key, memory[block].clone());
    }
    for (var other : published.values()) {
      assertThat(follows(other.row, gone.row)).as("%s outlives %s", other, gone).isFalse();
      if (held.contains(block)) {
        assertThat(held).as("kept blocks go first").contains(other.block);
      } else if (!held.contains(other.block)) {
        assertThat(letGoAt[block]).isLessThanOrEqualTo(letGoAt[other.block]);
      }
    }
    for (var part : parts.keySet()) {
      if (cache.indexed(part) && !held.contains(part) && !held.contains(block)) {
        assertThat(letGoAt[block]).isLessThanOrEqualTo(letGoAt[part]);
      }
    }
    evictions++;
  }

  @Override
  public boolean has(BlockKey parent, BlockKey key) {
    return second.containsKey(key);
  }

  @Override
  public boolean load(Prefix prefix, int into) {
    var key = prefix.key();
    if (loses(key)) {
      memory[into] = new Row[blockSize];
      return false;
    }
    memory[into] = second.get(key).clone();
    var row = memory[into][blockSize - 1];
    assertThat(row).isEqualTo(row(prefix.lineage(), prefix.tokens(), prefix.length()));
    offered.add(key);
    assertThat(published.put(key, new Published(row, into))).isNull();
    held.add(into);
    return true;
  }

  private static boolean loses(BlockKey key) {
    return key.low() % 5 == 0;
  }

  private void check() {
    checkBooks();
    if (!copies.isEmpty()) {
      return;
    }
    for (var sequence : open) {
      var blocks = sequence.table.blocks();
      for (var i = 0; i < sequence.length(); i++) {
        var row = memory[blocks[i / blockSize]][i % blockSize];
        if (row == null
            || row.prefix.size() != i + 1
            || !row.lineage.equals(sequence.lineage)
            || !row.prefix.equals(sequence.tokens.subList(0, i + 1))) {
          throw new AssertionError(
              "%s at %d of %s of %s".formatted(row, i, sequence.tokens, sequence.lineage));
        }
      }
    }
    for (var there : published.values()) {
      assertThat(memory[there.block][blockSize - 1]).isEqualTo(there.row);
    }
    parts.forEach(
        (block, row) ->
            assertThat(memory[block][(row.prefix.size() - 1) % blockSize]).isEqualTo(row));
  }

  private void checkBooks() {
    clock++;
    var now = new HashSet<Integer>();
    for (var sequence : open) {
      assertThat(sequence.table.length()).isEqualTo(sequence.length());
      var blocks = sequence.table.blocks();
      assertThat(blocks.length).isEqualTo(Math.ceilDiv(sequence.room, blockSize));
      for (var i = sequence.length(); i < sequence.room; i++) {
        assertThat(holders(blocks[i / blockSize])).as("hands on a block to write").isOne();
        assertThat(cache.indexed(blocks[i / blockSize])).as("hands on what others see").isFalse();
      }
      for (var block : blocks) {
        now.add(block);
      }
    }
    for (var block : held) {
      if (!now.contains(block)) {
        letGoAt[block] = clock;
      }
    }
    held = now;
    forgetEvictedParts();
    var kept =
        published.values().stream().filter(there -> !held.contains(there.block)).count()
            + parts.keySet().stream().filter(block -> !held.contains(block)).count();
    var status = cache.status();
    assertThat(status.total()).isEqualTo(total);
    assertThat(status.used()).isEqualTo(held.size());
    assertThat((long) status.cached()).isEqualTo(kept);
    assertThat((long) status.free()).isEqualTo(total - held.size() - kept);
    assertThat(status.evictions()).isEqualTo(evictions);
  }

  /** Whether the cache counted the prompt tokens that were computed or reused, each once. */
  void checkCounters() {
    var counted = cache.status().promptTokens();
    assertThat(counted.get(PrefixOutcome.CACHED) + counted.get(PrefixOutcome.LOADED))
        .isEqualTo(hits);
    assertThat(counted.values().stream().mapToLong(Long::longValue).sum()).isEqualTo(prompts);
  }

  /** The second place is not told of these. */
  private void forgetEvictedParts() {
    var before = parts.size();
    var full = published.values().stream().map(Published::block).collect(Collectors.toSet());
    parts.keySet().removeIf(block -> !cache.indexed(block) || full.contains(block));
    evictions += before - parts.size();
  }

  private long holders(int block) {
    return open.stream()
        .filter(sequence -> Arrays.stream(sequence.table.blocks()).anyMatch(b -> b == block))
        .count();
  }

  private List<List<Integer>> blocksOfAll() {
    return open.stream()
        .map(sequence -> Arrays.stream(sequence.table.blocks()).boxed().toList())
        .toList();
  }

  private int offset(Sequence sequence) {
    return sequence.length() % blockSize;
  }

  private static boolean follows(Row later, Row earlier) {
    return later.lineage.equals(earlier.lineage)
        && later.prefix.size() > earlier.prefix.size()
        && later.prefix.subList(0, earlier.prefix.size()).equals(earlier.prefix);
  }

  private static Row row(Lineage lineage, int[] tokens, int length) {
    return new Row(lineage, Arrays.stream(tokens, 0, length).boxed().toList());
  }

  private void checkIs(Published there, Prefix prefix, int block) {
    assertThat(there).isNotNull();
    assertThat(there.block).isEqualTo(block);
    assertThat(memory[block][blockSize - 1]).isEqualTo(there.row);
    assertThat(row(prefix.lineage(), prefix.tokens(), prefix.length())).isEqualTo(there.row);
  }

  private static int[] ints(List<Integer> tokens) {
    return tokens.stream().mapToInt(Integer::intValue).toArray();
  }
}
