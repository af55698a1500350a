package dev.vllmmlx.cache;

import static dev.vllmmlx.cache.BlockTableTest.open;
import static dev.vllmmlx.cache.BlockTableTest.stored;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PagedCacheTest {
  private static final Lineage LINEAGE = new Lineage("model", "", "");

  @Test
  void evictsWhatWasLetGoLongestAgo() {
    var cache = new PagedCache(3, 2, true);
    stored(cache, 1, 1);
    stored(cache, 2, 2);
    stored(cache, 3, 3);
    try (var again = cache.open(LINEAGE)) {
      assertThat(again.reuse(new int[] {1, 1, 0}, 3)).isEqualTo(2);
    }

    open(cache, 4);

    assertThat(cached(cache, 2, 2, 0)).isZero();
    assertThat(cached(cache, 3, 3, 0)).isEqualTo(2);
    assertThat(cached(cache, 1, 1, 0)).isEqualTo(2);
    assertThat(cache.status().evictions()).isOne();
  }

  @Test
  void evictsTheEndOfAChainFirst() {
    var cache = new PagedCache(4, 1, true);
    stored(cache, 1, 2, 3, 4);
    for (var left = 3; left >= 0; left--) {
      open(cache, 9 + left);
      assertThat(cached(cache, 1, 2, 3, 4, 5)).isEqualTo(left);
    }
  }

  @Test
  void keepsTheSharedTrunkLongerThanAnyBranch() {
    var evicted = new ArrayList<Integer>();
    var cache = new PagedCache(3, 1, true, recording(evicted));
    var first = open(cache, 1, 2);
    var second = cache.open(LINEAGE);
    second.reuse(new int[] {1, 3}, 2);
    second.reserve(1);
    second.append(new int[] {3}, 0, 1);
    first.close();
    second.close();

    cache.evictAll();

    assertThat(evicted).containsExactly(2, 3, 1);
  }

  @Test
  void evictsNothingThatIsHeld() {
    var cache = new PagedCache(2, 2, true);
    var held = open(cache, 1, 2, 3, 4);
    cache.evictAll();
    assertThat(cache.open(LINEAGE).reserve(1)).isEmpty();
    assertThat(cached(cache, 1, 2, 3, 4, 5)).isEqualTo(4);
    held.close();
    cache.evictAll();
    assertThat(cache.status().free()).isEqualTo(2);
    assertThat(cached(cache, 1, 2, 3, 4, 5)).isZero();
  }

  @Test
  void saysWhyTokensAreToBeComputed() {
    var cache = new PagedCache(2, 2, true);
    ask(cache, 1, 2, 3, 4, 5); // 4 unseen, 1 last; no room for them, so they are not counted
    ask(cache, 1, 2, 3); // 2 unseen, 1 last
    ask(cache, 1, 2, 3); // 2 cached, 1 last
    ask(cache, 7, 8, 9, 9); // 2 unseen, 2 last; the cached block is evicted
    ask(cache, 1, 2, 3); // 2 evicted, 1 last

    var status = cache.status();

    assertThat(status.promptTokens())
        .containsEntry(PrefixOutcome.UNSEEN, 4L)
        .containsEntry(PrefixOutcome.CACHED, 2L)
        .containsEntry(PrefixOutcome.EVICTED, 2L)
        .containsEntry(PrefixOutcome.LAST, 5L)
        .containsEntry(PrefixOutcome.COLLISION, 0L)
        .containsOnlyKeys(PrefixOutcome.values());
    assertThat(status.hitRate()).isEqualTo(2.0 / 13);
  }

  @Test
  void withoutAnIndexEveryBlockIsFreeAgain() {
    var cache = new PagedCache(2, 2, false);
    stored(cache, 1, 2, 3);
    assertThat(cache.status().free()).isEqualTo(2);
    ask(cache, 1, 2, 3);
    assertThat(cache.status().promptTokens()).containsEntry(PrefixOutcome.OFF, 2L);
  }

  @Test
  void keepsOfTwoBlocksWithOneKeyTheFirst() {
    var cache = new PagedCache(8, 2, true, BlockStore.NONE, new ConstantHash());
    stored(cache, 1, 2, 3);
    stored(cache, 5, 6, 7, 8, 9);

    assertThat(cached(cache, 1, 2, 3)).isEqualTo(2);
    assertThat(cached(cache, 5, 6, 7, 8, 9)).isZero();
    assertThat(cached(cache, 1, 2, 1, 2, 3)).as("the same tokens elsewhere").isEqualTo(2);
    try (var other = cache.open(new Lineage("model", "", "tenant"))) {
      assertThat(other.reuse(new int[] {1, 2, 3}, 3)).isZero();
    }
    assertThat(cache.status().cached()).isOne();

    ask(cache, 5, 6, 7);
    assertThat(cache.status().promptTokens()).containsEntry(PrefixOutcome.COLLISION, 2L);
  }

  @Test
  void handsBlocksToTheStoreAndAsksItForThem() {
    var store = new OneBlock();
    var cache = new PagedCache(1, 2, true, store);
    stored(cache, 1, 2);
    stored(cache, 3, 4);
    assertThat(store.tokens).containsExactly(1, 2);

    ask(cache, 1, 2); // too short to reuse anything
    assertThat(store.loads).isZero();
    try (var table = cache.open(LINEAGE)) {
      store.keep = true;
      assertThat(table.reuse(new int[] {3, 4, 5}, 3)).isEqualTo(2);
      assertThat(store.loads).isOne();
      table.append(new int[0], 0, 0);
    }
    assertThat(cache.status().promptTokens()).containsEntry(PrefixOutcome.LOADED, 2L);
    assertThat(cache.status().cached()).isOne();
    assertThat(cached(cache, 3, 4, 5)).isEqualTo(2);
  }

  @Test
  void offersAPublishedBlockUntilTheStoreHasTakenIt() {
    var store = new OneBlock();
    var cache = new PagedCache(4, 2, true, store);
    cache.spill();
    assertThat(store.offers).isZero();
    stored(cache, 1, 2, 3);
    cache.spill();
    cache.spill();
    cache.spill();
    assertThat(store.offers).isEqualTo(2);
  }

  @Test
  void adoptsTheRestWhenTheStoreHasMoreOfIt() {
    var store = new OneBlock();
    var cache = new PagedCache(4, 2, true, store);
    stored(cache, 1, 2, 3, 4);
    cache.evictAll(); // the last block first, so that the store has the first one
    try (var table = cache.open(LINEAGE)) {
      var prompt = new int[] {1, 2, 3, 4, 5};
      assertThat(table.reuse(prompt, 5)).isEqualTo(2);
      stored(cache, 1, 2, 3, 4);
      assertThat(table.reuse(prompt, 5)).isEqualTo(4);
      table.reserve(1);
      assertThatIllegalStateException().isThrownBy(() -> table.reuse(prompt, 5));
      table.append(prompt, 4, 1);
      assertThatIllegalStateException().isThrownBy(() -> table.reuse(prompt, 5));
    }
    assertThat(cache.status().promptTokens())
        .containsEntry(PrefixOutcome.LOADED, 2L)
        .containsEntry(PrefixOutcome.CACHED, 2L)
        .containsEntry(PrefixOutcome.LAST, 1L)
        .containsEntry(PrefixOutcome.EVICTED, 0L);
  }

  @Test
  void givesABeginningBackWhereTheStoreHasTheWholeBlock() {
    var store = new OneBlock();
    var cache = new PagedCache(4, 2, true, store);
    stored(cache, 1, 2);
    cache.evictAll();
    store.away = true;
    stored(cache, 1, 3);
    try (var table = cache.open(LINEAGE)) {
      var prompt = new int[] {1, 2, 5};
      assertThat(table.reuse(prompt, 3)).isOne();
      store.away = false;
      assertThat(table.reuse(prompt, 3)).isEqualTo(2);
      assertThat(cache.status().used()).isOne();
      table.append(new int[0], 0, 0);
    }
    assertThat(cache.status().promptTokens())
        .containsEntry(PrefixOutcome.LOADED, 2L)
        .containsEntry(PrefixOutcome.CACHED, 0L)
        .containsEntry(PrefixOutcome.EVICTED, 0L)
        .containsEntry(PrefixOutcome.LAST, 1L);
  }

  @Test
  void saysWhatBecameOfTheBlockThatItOnlyBeginsWith() {
    var cache = new PagedCache(8, 4, true);
    ask(cache, 1, 2, 3, 4, 5, 6); // 4 unseen, 2 last
    ask(cache, 1, 2, 3, 9, 9, 9); // 3 cached, 1 unseen, 2 last
    ask(cache, 1, 2, 3); // 2 cached, 1 last
    assertThat(cache.status().promptTokens())
        .containsEntry(PrefixOutcome.CACHED, 5L)
        .containsEntry(PrefixOutcome.UNSEEN, 5L)
        .containsEntry(PrefixOutcome.LAST, 5L);
  }

  @Test
  void aStoreThatFailsCostsNoBlock() {
    var failing =
        new BlockStore() {
          @Override
          public boolean published(Prefix prefix, int block) {
            return true;
          }

          @Override
          public void evicted(Prefix prefix, int block) {}

          @Override
          public boolean has(BlockKey parent, BlockKey key) {
            return true;
          }

          @Override
          public boolean load(Prefix prefix, int into) {
            return false;
          }
        };
    var cache = new PagedCache(1, 2, true, failing);
    assertThat(cached(cache, 1, 2, 3)).isZero();
    assertThat(cache.status().free()).isOne();
  }

  @Test
  void manySequencesOverAFullPoolGoOnAsAtTheStart() {
    var cache = new PagedCache(2_000, 16, true);
    var open = new ArrayList<BlockTable>();
    var prompt = new int[512];
    for (var round = 0; round < 4_000; round++) {
      for (var i = 0; i < prompt.length; i++) {
        prompt[i] = i < 256 ? round % 7 : round;
      }
      var table = cache.open(LINEAGE);
      var reused = table.reuse(prompt, prompt.length);
      assertThat(table.reserve(prompt.length - reused)).isPresent();
      table.append(prompt, reused, prompt.length - reused);
      open.add(table);
      if (open.size() == 50) {
        open.removeFirst().close();
      }
    }
    open.forEach(BlockTable::close);

    var status = cache.status();
    assertThat(status.used()).isZero();
    assertThat(status.cached() + status.free()).isEqualTo(2_000);
    assertThat(status.promptTokens()).containsEntry(PrefixOutcome.CACHED, 256L * (4_000 - 7));
    assertThat(status.evictions()).isEqualTo(7 * 16 + 4_000 * 16 - status.cached());
  }

  @Test
  void refusesASizeThatMakesNoSense() {
    assertThatIllegalArgumentException().isThrownBy(() -> new PagedCache(0, 16, true));
    assertThatIllegalArgumentException().isThrownBy(() -> new PagedCache(16, 0, true));
  }

  /**
   * How many tokens of the prompt are cached; leaves all as it was but for the order of eviction.
   */
  private static int cached(PagedCache cache, int... prompt) {
    try (var table = cache.open(LINEAGE)) {
      return table.reuse(prompt, prompt.length);
    }
  }

  /** A prompt that is computed as far as it is not cached, if there is room. */
  private static void ask(PagedCache cache, int... prompt) {
    try (var table = cache.open(LINEAGE)) {
      var reused = table.reuse(prompt, prompt.length);
      if (table.reserve(prompt.length - reused).isPresent()) {
        table.append(prompt, reused, prompt.length - reused);
      }
    }
  }

  private static BlockStore recording(List<Integer> lastTokens) {
    return new BlockStore() {
      @Override
      public boolean published(Prefix prefix, int block) {
        return true;
      }

      @Override
      public void evicted(Prefix prefix, int block) {
        lastTokens.add(IntStream.of(prefix.tokens()).boxed().toList().getLast());
      }

      @Override
      public boolean has(BlockKey parent, BlockKey key) {
        return false;
      }

      @Override
      public boolean load(Prefix prefix, int into) {
        return false;
      }
    };
  }

  /** Keeps the block that was evicted last, until it is told to keep what it has. */
  private static final class OneBlock implements BlockStore {
    private BlockKey key;
    private int[] tokens;
    private boolean keep;
    private boolean away;
    private int loads;
    private int offers;

    @Override
    public boolean published(Prefix prefix, int block) {
      return offers++ % 2 > 0;
    }

    @Override
    public void evicted(Prefix prefix, int block) {
      if (!keep) {
        key = prefix.key();
        tokens = prefix.tokens();
      }
    }

    @Override
    public boolean has(BlockKey parent, BlockKey key) {
      return !away && key.equals(this.key);
    }

    @Override
    public boolean load(Prefix prefix, int into) {
      loads++;
      assertThat(Arrays.copyOf(prefix.tokens(), prefix.length())).isEqualTo(tokens);
      return true;
    }
  }

  static final class ConstantHash implements BlockHash {
    @Override
    public BlockKey root(Lineage lineage) {
      return new BlockKey(0, 0);
    }

    @Override
    public BlockKey next(BlockKey parent, int[] tokens, int from, int count) {
      return new BlockKey(0, 0);
    }
  }
}
