package dev.vllmmlx.cache;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * One sequence of a {@link PagedCache}: its tokens, and the blocks that hold their keys and values.
 * The token at position {@code p} is in block {@code blocks()[p / blockSize]} at row {@code p %
 * blockSize}.
 *
 * <p>A step over a sequence is: {@link #reserve} room and carry out the copies, write keys and
 * values to the blocks, {@link #append} the tokens. A step that fails leaves out the last part, and
 * nothing of it is seen by anyone. Used by the cache's one thread. After {@link #close} only {@link
 * #length} may still be asked for; the rest throws {@link IllegalStateException}.
 */
public final class BlockTable implements AutoCloseable {
  private static final Optional<List<BlockCopy>> NOTHING_TO_COPY = Optional.of(List.of());

  private final PagedCache cache;
  private final Lineage lineage;
  private final BlockKey root;

  /** Those of the tokens, then those of the room. */
  private int[] blocks = new int[8];

  private int blockCount;
  private int[] tokens = new int[64];
  private int length;

  /** Tokens that fit so far: positions from {@code length} to here may be written. */
  private int room;

  /** What became of the prompt's tokens, until it is counted; null before {@link #reuse}. */
  private Map<PrefixOutcome, Long> outcomes;

  private boolean closed;

  BlockTable(PagedCache cache, Lineage lineage, BlockKey root) {
    this.cache = cache;
    this.lineage = lineage;
    this.root = root;
  }

  /**
   * Adopts the longest cached prefix of a prompt, at most {@code count - 1} tokens, since the last
   * one must be computed for its logits: full blocks, and then the first tokens of a block that
   * goes on in another way, of which {@link #reserve} hands out a copy. What became of the prompt's
   * tokens enters the cache's counters with the first {@link #append}, so that a sequence that
   * finds no room, closes and tries again is counted once.
   *
   * <p>It may be called again with the same prompt, before room is reserved: then it goes on where
   * it ended, for the {@link BlockStore} may have more by now.
   *
   * @param tokens the prompt
   * @param count how many of {@code tokens} are the prompt
   * @return the tokens adopted, which is the new {@link #length()}
   */
  public int reuse(int[] tokens, int count) {
    requireOpen();
    Objects.checkFromIndexSize(0, count, tokens.length);
    if (room > length || (length > 0 && outcomes == null)) {
      throw new IllegalStateException("a prefix can only be adopted by an empty table");
    }
    if (outcomes == null) {
      outcomes = new EnumMap<>(PrefixOutcome.class);
    }
    outcomes.keySet().removeIf(outcome -> !outcome.hit());
    giveBackBeginning();
    var blockSize = cache.blockSize();
    var most = Math.max(0, count - 1) / blockSize * blockSize;
    var miss = PrefixOutcome.LAST;
    while (length < most && miss == PrefixOutcome.LAST) {
      var match = cache.match(lineage, root, before(blockCount), tokens, length);
      if (match.outcome().hit()) {
        adopt(match.block(), match.outcome(), tokens, blockSize);
      } else {
        miss = match.outcome();
      }
    }
    cache
        .beginning(
            lineage,
            before(blockCount),
            tokens,
            length,
            Math.clamp(count - 1, length, length + blockSize))
        .ifPresent(of -> adopt(of.block(), PrefixOutcome.CACHED, tokens, of.count()));
    if (length < most) {
      outcomes.put(miss, (long) (most - length));
    }
    outcomes.put(PrefixOutcome.LAST, (long) (count - Math.max(most, length)));
    room = length;
    return length;
  }

  private void adopt(int block, PrefixOutcome outcome, int[] tokens, int count) {
    outcomes.merge(outcome, (long) count, Long::sum);
    addBlock(block);
    addTokens(tokens, length, count);
  }

  /** There may be a full block of these tokens by now. */
  private void giveBackBeginning() {
    var count = length % cache.blockSize();
    if (count > 0) {
      outcomes.merge(PrefixOutcome.CACHED, (long) -count, Long::sum);
      truncate(length - count);
    }
  }

  /** Tokens of the sequence, whose keys and values are stored. */
  public int length() {
    return length;
  }

  /**
   * Makes room for the next tokens. If they begin in a block that others see, too, the sequence
   * gets a copy of it.
   *
   * <p>The caller carries out the copies in the order in which they are handed out, over all
   * tables, and before anything else is written to a block (by a step or by {@link
   * BlockStore#load}).
   *
   * @param count tokens from {@link #length()} on; not in addition to room that is there already
   * @return the copies to carry out; empty if there are not enough blocks, and then nothing has
   *     changed
   */
  public Optional<List<BlockCopy>> reserve(int count) {
    requireOpen();
    if (count < 0) {
      throw new IllegalArgumentException("room for " + count + " tokens");
    }
    if (count <= room - length) {
      return NOTHING_TO_COPY;
    }
    var blockSize = cache.blockSize();
    var further = Math.max(0, ((long) length + count + blockSize - 1) / blockSize - blockCount);
    if (further > cache.available()) {
      return Optional.empty();
    }
    var at = length / blockSize;
    var shared = length % blockSize != 0 && !cache.writable(blocks[at]);
    var copied = shared && further < cache.available();
    var withdrawn = shared && !copied;
    if (withdrawn && !cache.withdrawable(blocks[at])) {
      return Optional.empty();
    }
    var copies = NOTHING_TO_COPY;
    if (copied) {
      var copy = new BlockCopy(blocks[at], cache.take());
      blocks[at] = copy.to();
      cache.letGo(copy.from());
      cache.countCopy();
      copies = Optional.of(List.of(copy));
    }
    for (var i = 0; i < further; i++) {
      addBlock(cache.take());
    }
    if (withdrawn) {
      // All that was kept is evicted by now, so nothing follows this block in the index.
      cache.withdraw(blocks[at]);
    }
    room = length + count;
    return copies;
  }

  /**
   * Adds tokens whose keys and values were written to the reserved room. Blocks that are full now
   * are published. Where the index has a block of the same prefix already, this sequence takes it
   * in place of its own, which is let go: read {@link #blocks()} anew for the next step.
   *
   * <p>Call it when the writes are done, or when whatever reads or writes a block later is ordered
   * after them.
   *
   * @param tokens holds the tokens at {@code from}, {@code count} of them
   * @throws IllegalStateException if there is no room for so many
   */
  public void append(int[] tokens, int from, int count) {
    requireOpen();
    Objects.checkFromIndexSize(from, count, tokens.length);
    if (count > room - length) {
      throw new IllegalStateException(
          "%d tokens appended where room for %d was reserved".formatted(count, room - length));
    }
    if (outcomes != null) {
      cache.count(outcomes);
      outcomes = null;
    }
    var blockSize = cache.blockSize();
    var full = length / blockSize;
    addTokens(tokens, from, count);
    for (; full < length / blockSize; full++) {
      blocks[full] =
          cache.publish(lineage, root, before(full), this.tokens, full * blockSize, blocks[full]);
    }
  }

  /** The sequence's blocks in order, those of the reserved room at the end; a new array. */
  public int[] blocks() {
    requireOpen();
    return Arrays.copyOf(blocks, blockCount);
  }

  /** How many blocks {@link #blocks()} has. */
  public int blockCount() {
    requireOpen();
    return blockCount;
  }

  /** Writes {@link #blocks()} to {@code into} from {@code at} on, without an allocation. */
  public void copyBlocks(int[] into, int at) {
    requireOpen();
    System.arraycopy(blocks, 0, into, at, blockCount);
  }

  /**
   * Another sequence of the same tokens, which shares all blocks of them. Room that was reserved
   * and not used is given back: whoever goes on reserves anew, and the first to write to the last,
   * partly filled block gets a copy.
   */
  public BlockTable fork() {
    requireOpen();
    truncate(length);
    var fork = new BlockTable(cache, lineage, root);
    fork.blocks = blocks.clone();
    fork.blockCount = blockCount;
    fork.tokens = tokens.clone();
    fork.length = length;
    fork.room = length;
    for (var i = 0; i < blockCount; i++) {
      cache.hold(blocks[i]);
    }
    return fork;
  }

  /**
   * Forgets the tokens from {@code length} on, and gives back room that was reserved and not used.
   * What was published stays in the index.
   *
   * @param length 0 to {@link #length()}
   */
  public void truncate(int length) {
    requireOpen();
    if (length < 0 || length > this.length) {
      throw new IllegalArgumentException("%d tokens cut to %d".formatted(this.length, length));
    }
    this.length = length;
    room = length;
    letGoFrom(Math.ceilDiv(length, cache.blockSize()));
  }

  /**
   * Closes the table, and leaves its last block to others though it is not full: so a prompt that
   * goes on where this sequence ends finds all of it. For sequences whose writes are done.
   */
  public void leave() {
    var begun = length % cache.blockSize();
    if (!closed && begun > 0) {
      var at = length / cache.blockSize();
      cache.publishPart(lineage, before(at), tokens, length - begun, length, blocks[at]);
    }
    close();
  }

  /** Lets go of all blocks. What is in the index stays there for others until it is evicted. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      letGoFrom(0);
    }
  }

  /** The last block first: so the first ones are evicted last. */
  private void letGoFrom(int count) {
    while (blockCount > count) {
      cache.letGo(blocks[--blockCount]);
    }
  }

  /** The block before that place, -1 for none. */
  private int before(int at) {
    return at == 0 ? -1 : blocks[at - 1];
  }

  private void addBlock(int block) {
    if (blockCount == blocks.length) {
      blocks = Arrays.copyOf(blocks, 2 * blockCount);
    }
    blocks[blockCount++] = block;
  }

  private void addTokens(int[] from, int at, int count) {
    if (length + count > tokens.length) {
      tokens = Arrays.copyOf(tokens, Math.max(length + count, 2 * tokens.length));
    }
    System.arraycopy(from, at, tokens, length, count);
    length += count;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the table is closed");
    }
  }
}
