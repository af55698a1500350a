package dev.vllmmlx.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BlockTableTest {
  private static final Lineage LINEAGE = new Lineage("model", "", "");

  private final PagedCache cache = new PagedCache(4, 2, true);

  @Test
  void adoptsFullBlocksOfAPromptButNotItsLastToken() {
    var blocks = stored(cache, 1, 2, 3, 4, 5);

    var table = cache.open(LINEAGE);
    assertThat(table.reuse(new int[] {1, 2, 7}, 3)).isEqualTo(2);
    assertThat(table.length()).isEqualTo(2);
    assertThat(table.blocks()).containsExactly(blocks[0]);

    var longer = cache.open(LINEAGE);
    assertThat(longer.reuse(new int[] {1, 2, 3, 4, 9, 9, 9}, 5)).isEqualTo(4);
    assertThat(longer.blocks()).containsExactly(blocks[0], blocks[1]);
  }

  @Test
  void goesOnInACopyOfABlockThatBeginsAsItDoes() {
    var blocks = stored(cache, 1, 2, 3, 4);
    var table = cache.open(LINEAGE);
    assertThat(table.reuse(new int[] {1, 2, 3, 9}, 4)).isEqualTo(3);
    assertThat(table.blocks()).isEqualTo(blocks);

    var copies = table.reserve(2).orElseThrow();

    assertThat(copies).containsExactly(new BlockCopy(blocks[1], table.blocks()[1]));
    table.append(new int[] {9, 5}, 0, 2);
    var same = cache.open(LINEAGE);
    assertThat(same.reuse(new int[] {1, 2, 3, 4}, 4)).as("its last is computed").isEqualTo(3);
    assertThat(same.blocks()).isEqualTo(blocks);
    assertThat(cache.open(LINEAGE).reuse(new int[] {1, 2, 3, 9, 7}, 5)).isEqualTo(4);
  }

  @Test
  void beginsWithTheBlockThatHasMostInCommon() {
    var cache = new PagedCache(8, 4, true);
    stored(cache, 1, 2, 7, 7);
    var best = stored(cache, 1, 2, 3, 7);
    stored(cache, 1, 2, 3, 8);
    stored(cache, 9, 2, 3, 4);
    try (var table = cache.open(LINEAGE)) {
      assertThat(table.reuse(new int[] {1, 2, 3, 4, 5}, 5)).isEqualTo(3);
      assertThat(table.blocks()).isEqualTo(best);
      cache.evictAll();
      try (var other = cache.open(LINEAGE)) {
        assertThat(other.reuse(new int[] {1, 2, 7, 7}, 4)).as("what is left").isEqualTo(2);
      }
    }
    cache.evictAll();
    assertThat(cache.open(LINEAGE).reuse(new int[] {1, 2, 7, 7}, 4)).isZero();
  }

  @Test
  void leavesItsLastBlockToWhoGoesOnFromIt() {
    var cache = new PagedCache(8, 4, true);
    var first = open(cache, 1, 2, 3, 4, 5, 6);
    var blocks = first.blocks();
    first.leave();
    assertThat(cache.status().cached()).isEqualTo(2);
    var next = cache.open(LINEAGE);
    assertThat(next.reuse(new int[] {1, 2, 3, 4, 5, 6, 7}, 7)).isEqualTo(6);
    assertThat(next.blocks()).isEqualTo(blocks);
    assertThat(next.reserve(1)).contains(List.of(new BlockCopy(blocks[1], next.blocks()[1])));
  }

  @Test
  void leavesNothingThatIsThereAlready() {
    var cache = new PagedCache(8, 4, true);
    stored(cache, 1, 2, 3, 4);
    open(cache, 1, 2, 3).leave();
    assertThat(cache.status().cached()).isOne();
    open(cache, 9, 9).leave();
    open(cache, 9).leave();
    open(cache, 9, 9, 9).leave();
    assertThat(cache.status().cached()).isEqualTo(3);
  }

  @Test
  void leavesNoBlockInWhichAnotherHasMore() {
    var cache = new PagedCache(8, 2, true, BlockStore.NONE, new PagedCacheTest.ConstantHash());
    stored(cache, 1, 2);
    var table = open(cache, 3, 4); // full, and not in the index
    var fork = table.fork();
    fork.truncate(1);
    fork.leave();
    assertThat(cache.status().cached()).isOne();
    assertThat(table.reserve(2)).isPresent();
    table.append(new int[] {5, 6}, 0, 2);
    table.leave();
    assertThat(cache.status().cached()).isOne();
  }

  @Test
  void closesWithoutALastBlockThatMayBeBroken() {
    stored(cache, 1, 2, 3);
    assertThat(cache.status().cached()).isOne();
  }

  @Test
  void adoptsNothingForAPromptOfOneTokenOrNone() {
    stored(cache, 1, 2);
    assertThat(cache.open(LINEAGE).reuse(new int[] {1}, 1)).isZero();
    assertThat(cache.open(LINEAGE).reuse(new int[] {}, 0)).isZero();
  }

  @Test
  void sharesNothingBetweenLineages() {
    stored(cache, 1, 2, 3);
    for (var other :
        new Lineage[] {
          new Lineage("other", "", ""),
          new Lineage("model", "adapter", ""),
          new Lineage("model", "", "tenant")
        }) {
      assertThat(cache.open(other).reuse(new int[] {1, 2, 3}, 3)).as("%s", other).isZero();
    }
  }

  @Test
  void adoptsWhatAnotherSequenceStillHolds() {
    var first = open(cache, 1, 2, 3);
    var second = cache.open(LINEAGE);
    assertThat(second.reuse(new int[] {1, 2, 3}, 3)).isEqualTo(2);
    assertThat(second.blocks()[0]).isEqualTo(first.blocks()[0]);
    assertThat(cache.status().used()).isEqualTo(2);
  }

  @Test
  void publishesNothingThatWasNotAppended() {
    var table = cache.open(LINEAGE);
    assertThat(table.reserve(4)).isPresent();
    table.close();
    assertThat(cache.status().free()).isEqualTo(4);
  }

  @Test
  void refusesMoreTokensThanWereReserved() {
    var table = cache.open(LINEAGE);
    table.reserve(1);
    assertThatIllegalStateException()
        .isThrownBy(() -> table.append(new int[] {1, 2}, 0, 2))
        .withMessageContaining("2 tokens")
        .withMessageContaining("room for 1");
    assertThat(table.length()).isZero();
  }

  @Test
  void changesNothingWhenThePoolIsExhausted() {
    var held = open(cache, 1, 2, 3);
    stored(cache, 7, 8);
    var table = open(cache, 9);
    var status = cache.status();

    assertThat(table.reserve(4)).isEmpty();

    assertThat(cache.status()).isEqualTo(status);
    assertThat(table.blocks()).hasSize(1);
    assertThat(held.blocks()).hasSize(2);
    assertThat(table.reserve(3)).hasValueSatisfying(copies -> assertThat(copies).isEmpty());
  }

  @Test
  void forksShareAllBlocksAndTheFirstToWriteGetsACopy() {
    var original = open(cache, 1, 2, 3);
    var fork = original.fork();
    var shared = original.blocks();
    assertThat(fork.blocks()).isEqualTo(shared);
    assertThat(cache.status().used()).isEqualTo(2);

    var copies = fork.reserve(1).orElseThrow();

    assertThat(copies).containsExactly(new BlockCopy(shared[1], fork.blocks()[1]));
    assertThat(fork.blocks()[0]).isEqualTo(shared[0]);
    assertThat(original.blocks()).isEqualTo(shared);
    assertThat(original.reserve(1)).hasValueSatisfying(none -> assertThat(none).isEmpty());
    assertThat(cache.status().copies()).isOne();
  }

  @Test
  void aForkGivesBackRoomThatWasNotUsed() {
    var original = cache.open(LINEAGE);
    original.reserve(7);
    original.append(new int[] {1}, 0, 1);
    var fork = original.fork();
    assertThat(original.blockCount()).isOne();
    assertThatIllegalStateException().isThrownBy(() -> original.append(new int[] {2}, 0, 1));
    assertThatIllegalStateException().isThrownBy(() -> fork.append(new int[] {2}, 0, 1));
  }

  @Test
  void takesTheIndexedTwinOfABlockOfItsOwn() {
    var first = cache.open(LINEAGE);
    var second = cache.open(LINEAGE);
    first.reserve(3);
    second.reserve(3);
    assertThat(cache.status().used()).isEqualTo(4);

    first.append(new int[] {1, 2, 3}, 0, 3);
    second.append(new int[] {1, 2, 4}, 0, 3);

    assertThat(second.blocks()[0]).isEqualTo(first.blocks()[0]);
    assertThat(second.blocks()[1]).isNotEqualTo(first.blocks()[1]);
    assertThat(cache.status().used()).isEqualTo(3);
    assertThat(cache.status().free()).isOne();
  }

  @Test
  void aPublishedBlockOutlivesTheTokensThatWereRolledBack() {
    var table = open(cache, 1, 2, 3, 4);
    var published = table.blocks();
    table.truncate(3);

    var copies = table.reserve(1).orElseThrow();
    assertThat(copies).containsExactly(new BlockCopy(published[1], table.blocks()[1]));
    table.append(new int[] {9}, 0, 1);

    var before = cache.open(LINEAGE);
    assertThat(before.reuse(new int[] {1, 2, 3, 4, 5}, 5)).isEqualTo(4);
    assertThat(before.blocks()).isEqualTo(published);
    var after = cache.open(LINEAGE);
    assertThat(after.reuse(new int[] {1, 2, 3, 9, 5}, 5)).isEqualTo(4);
    assertThat(after.blocks()).isEqualTo(table.blocks());
  }

  @Test
  void aSequenceAloneCanWriteWhereItWasCutBackThoughNoBlockIsLeftForACopy() {
    var table = open(cache, 0, 1, 2, 3, 4, 5, 6, 7);
    var blocks = table.blocks();
    table.truncate(3);

    assertThat(table.reserve(5)).hasValueSatisfying(copies -> assertThat(copies).isEmpty());

    assertThat(table.blocks()).startsWith(blocks[0], blocks[1]).containsExactlyInAnyOrder(blocks);
    assertThat(cache.status().evictions()).isEqualTo(3);
    table.append(new int[] {9, 4, 5, 6, 7}, 0, 5);
    table.close();
    assertThat(cache.open(LINEAGE).reuse(new int[] {0, 1, 2, 3, 4}, 5)).isEqualTo(3);
    assertThat(cache.open(LINEAGE).reuse(new int[] {0, 1, 2, 9, 4}, 5)).isEqualTo(4);
  }

  @Test
  void aSharedBlockIsNotWrittenInPlaceThoughNoBlockIsLeftForACopy() {
    var table = open(cache, IntStream.range(0, 7).toArray());
    var fork = table.fork();
    assertThat(table.reserve(1)).isEmpty();
    fork.close();
    assertThat(table.reserve(1)).isPresent();
  }

  @Test
  void closingTwiceLetsGoOnce() {
    var first = open(cache, 1, 2, 3);
    var second = first.fork();
    first.close();
    first.close();
    assertThat(cache.status().used()).isEqualTo(2);
    assertThatIllegalStateException().isThrownBy(first::blocks);
    assertThat(first.length()).isEqualTo(3);
    second.close();
    assertThat(cache.status().used()).isZero();
  }

  @Test
  void writesItsBlocksWhereTheyAreWanted() {
    var table = open(cache, 1, 2, 3);
    var into = new int[] {-1, -1, -1, -1};
    table.copyBlocks(into, 1);
    assertThat(into).containsExactly(-1, table.blocks()[0], table.blocks()[1], -1);
    assertThat(table.blockCount()).isEqualTo(2);
  }

  @Test
  void refusesWhatMakesNoSense() {
    var table = open(cache, 1);
    assertThatIllegalStateException().isThrownBy(() -> table.reuse(new int[] {1, 2, 3}, 3));
    assertThatIllegalArgumentException().isThrownBy(() -> table.reserve(-1));
    assertThatIllegalArgumentException().isThrownBy(() -> table.truncate(2));
    assertThatIllegalArgumentException().isThrownBy(() -> table.truncate(-1));
    assertThatThrownBy(() -> table.append(new int[1], 0, 2))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> cache.open(LINEAGE).reuse(new int[1], 2))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThat(table.reserve(Integer.MAX_VALUE)).isEmpty();
  }

  static BlockTable open(PagedCache cache, int... tokens) {
    var table = cache.open(LINEAGE);
    assertThat(table.reserve(tokens.length)).isPresent();
    table.append(tokens, 0, tokens.length);
    return table;
  }

  /** Stores a sequence and closes it; its blocks. */
  static int[] stored(PagedCache cache, int... tokens) {
    try (var table = open(cache, tokens)) {
      return table.blocks();
    }
  }
}
