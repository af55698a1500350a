package dev.vllmmlx.cache.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.vllmmlx.cache.Lineage;
import dev.vllmmlx.cache.PagedCache;
import dev.vllmmlx.cache.PrefixOutcome;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskStoreTest {
  private static final Lineage LINEAGE = new Lineage("model", "", "");
  private static final int[] PROMPT = IntStream.range(0, 6 * Blocks.SIZE + 1).toArray();

  @TempDir Path folder;
  private final List<String> warnings = new CopyOnWriteArrayList<>();

  @Test
  void aPrefixIsThereInTheNextProcess() throws IOException {
    var first = new Blocks(8);
    storePrompt(first, LINEAGE);

    var second = new Blocks(40);
    try (var store = open(second)) {
      var cache = new PagedCache(8, Blocks.SIZE, true, store);
      try (var table = cache.open(LINEAGE)) {
        assertThat(reuseAll(table, store)).isEqualTo(6 * Blocks.SIZE);
        var blocks = table.blocks();
        for (var i = 0; i < 6; i++) {
          assertThat(second.of(blocks[i])).isEqualTo(first.of(i));
        }
        table.reserve(1);
        table.append(PROMPT, PROMPT.length - 1, 1);
      }
      assertThat(cache.status().promptTokens())
          .containsEntry(PrefixOutcome.LOADED, 6L * Blocks.SIZE)
          .containsEntry(PrefixOutcome.UNSEEN, 0L);
      assertThat(store.figures().read()).isEqualTo(6);
      assertThat(store.figures().files()).isEqualTo(6);
    }
    assertThat(warnings).isEmpty();
  }

  @Test
  void nothingOfAnotherLineageIsFound() throws IOException {
    storePrompt(new Blocks(8), LINEAGE);
    try (var store = open(new Blocks(8))) {
      var cache = new PagedCache(8, Blocks.SIZE, true, store);
      for (var other :
          List.of(
              new Lineage("other", "", ""),
              new Lineage("model", "other", ""),
              new Lineage("model", "", "other"))) {
        try (var table = cache.open(other)) {
          assertThat(reuseAll(table, store)).isZero();
        }
      }
    }
    assertThat(warnings).isEmpty();
  }

  @Test
  void aDamagedFileIsToldOfRemovedAndWrittenAnew() throws IOException {
    storePrompt(new Blocks(8), LINEAGE);
    var damaged = files().get(2);
    var bytes = Files.readAllBytes(damaged);
    Files.write(damaged, java.util.Arrays.copyOf(bytes, bytes.length / 2));

    storePrompt(new Blocks(8), LINEAGE); // asks for it, too

    assertThat(warnings).hasSize(1);
    assertThat(warnings.getFirst()).contains(damaged.toString(), "ignored", "bytes");
    assertThat(damaged).hasSize(bytes.length);
    try (var store = open(new Blocks(8));
        var table = new PagedCache(8, Blocks.SIZE, true, store).open(LINEAGE)) {
      assertThat(reuseAll(table, store)).isEqualTo(6 * Blocks.SIZE);
    }
    assertThat(warnings).hasSize(1);
  }

  @Test
  void filesThatWereCutShortAreAllWrittenAnew() throws IOException {
    storePrompt(new Blocks(8), LINEAGE);
    for (var file : files()) {
      Files.write(file, new byte[10]);
    }
    storePrompt(new Blocks(8), LINEAGE);
    assertThat(warnings).as("of the first, since none is asked for after it").hasSize(1);
    try (var store = open(new Blocks(8));
        var table = new PagedCache(8, Blocks.SIZE, true, store).open(LINEAGE)) {
      assertThat(reuseAll(table, store)).isEqualTo(6 * Blocks.SIZE);
    }
  }

  @Test
  void aFileUnderAnothersNameIsNotTaken() throws IOException {
    storePrompt(new Blocks(8), LINEAGE);
    storePrompt(new Blocks(8), new Lineage("model", "", "other"));
    var files = files();
    var contents = files.stream().map(DiskStoreTest::read).toList();
    for (var i = 0; i < files.size(); i++) {
      Files.write(files.get(i), contents.get((i + 1) % files.size()));
    }
    try (var store = open(new Blocks(8));
        var table = new PagedCache(8, Blocks.SIZE, true, store).open(LINEAGE)) {
      assertThat(reuseAll(table, store)).isZero();
      assertThat(store.figures().refused()).isOne();
    }
    assertThat(warnings).hasSize(1);
  }

  @Test
  void aBlockThatIsThereIsNotCopiedAgain() throws IOException {
    storePrompt(new Blocks(8), LINEAGE);
    var again = new Blocks(8);
    try (var store = open(again)) {
      var cache = new PagedCache(8, Blocks.SIZE, true, store);
      try (var table = cache.open(LINEAGE)) {
        table.reserve(PROMPT.length);
        table.append(PROMPT, 0, PROMPT.length); // computed, not asked for
      }
      store.waitForBuffers(Duration.ofSeconds(10));
      cache.spill();
      cache.evictAll();
    }
    assertThat(again.copiesOut()).isZero();
  }

  @Test
  void whatThereIsNoTimeForIsTakenAtTheNextStep() throws IOException {
    var slow = new SlowBlocks(8);
    try (var store = open(slow)) {
      var cache = new PagedCache(8, Blocks.SIZE, true, store);
      try (var table = cache.open(LINEAGE)) {
        table.reserve(PROMPT.length);
        table.append(PROMPT, 0, PROMPT.length);
      }
      for (var step = 1; step <= 6; step++) {
        store.boundary();
        cache.spill();
        assertThat(slow.copies).as("step %d", step).isEqualTo(step);
      }
      store.waitForBuffers(Duration.ofSeconds(10));
    }
    try (var store = open(slow);
        var table = new PagedCache(8, Blocks.SIZE, true, store).open(LINEAGE)) {
      for (var step = 1; step <= 6; step++) {
        store.boundary();
        assertThat(table.reuse(PROMPT, PROMPT.length)).isEqualTo(step * Blocks.SIZE);
        assertThat(store.deferred()).isEqualTo(step < 6);
      }
    }
  }

  @Test
  void aFolderThatCannotBeWrittenToCostsBlocksAndNothingElse() throws IOException {
    var cacheFolder = folder.resolve("cache");
    try (var store = open(new Blocks(8))) {
      Files.delete(cacheFolder);
      Files.createFile(cacheFolder);
      var cache = new PagedCache(8, Blocks.SIZE, true, store);
      try (var table = cache.open(LINEAGE)) {
        table.reserve(PROMPT.length);
        table.append(PROMPT, 0, PROMPT.length);
      }
      store.waitForBuffers(Duration.ofSeconds(10));
      cache.spill();
      cache.evictAll();
      assertThat(cache.status().free()).isEqualTo(8);
    }
    assertThat(warnings).isNotEmpty();
    assertThat(warnings.size()).isLessThan(6);
  }

  @Test
  void aBlockThatCannotBeCopiedIsPassedOver() throws IOException {
    storePrompt(new Blocks(8), LINEAGE);
    var broken =
        new BlockMemory() {
          @Override
          public int blockBytes() {
            return Blocks.BYTES;
          }

          @Override
          public void copyOut(int block, java.nio.ByteBuffer into) {
            throw new IllegalStateException("no way out");
          }

          @Override
          public void copyIn(int block, java.nio.ByteBuffer from) {
            throw new IllegalStateException("no way in");
          }
        };
    try (var store = open(broken)) {
      var cache = new PagedCache(8, Blocks.SIZE, true, store);
      try (var table = cache.open(LINEAGE)) {
        assertThat(reuseAll(table, store)).isZero();
      }
      try (var table = cache.open(new Lineage("model", "", "another"))) {
        table.reserve(PROMPT.length);
        table.append(PROMPT, 0, PROMPT.length);
      }
      cache.spill();
      cache.evictAll();
      assertThat(cache.status().free()).isEqualTo(8);
      assertThat(store.figures().lost()).isEqualTo(12);
      assertThat(store.figures().refused()).isZero();
    }
    assertThat(warnings).anyMatch(each -> each.contains("no way in"));
    assertThat(warnings).anyMatch(each -> each.contains("no way out"));
    assertThat(files()).hasSize(6);
  }

  @Test
  void cannotBeOpenedWithoutMemoryForABlock() {
    Function<Arena, ByteBuffer> room =
        arena -> {
          throw new OutOfMemoryError("none at all");
        };
    assertThatIOException()
        .isThrownBy(
            () -> new DiskStore(folder, 1 << 20, Blocks.SIZE, new Blocks(1), warnings::add, room))
        .withMessageContaining("no memory");
  }

  @Test
  void refusesALimitBelowABlock() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new DiskStore(folder, Blocks.BYTES, Blocks.SIZE, new Blocks(1), warnings::add));
  }

  @Test
  void readingThatIsSlowerThanComputingDoesNotPay() {
    var pace = new ReadPace(4);
    assertThat(pace.pays()).isTrue();
    pace.read(1_000);
    assertThat(pace.pays()).isTrue();
    pace.computed(8, 1_000); // 500 a block
    pace.computed(1, 1_000_000_000); // says nothing of prompts
    assertThat(IntStream.range(0, 128).filter(i -> pace.pays()).count()).isEqualTo(2);
    for (var i = 0; i < 20; i++) {
      pace.read(100);
    }
    assertThat(pace.pays()).isTrue();
  }

  /** As an engine: asks, computes the rest in blocks 0 and on, and closes. */
  private void storePrompt(Blocks memory, Lineage lineage) throws IOException {
    try (var store = open(memory)) {
      var cache = new PagedCache(8, Blocks.SIZE, true, store);
      try (var table = cache.open(lineage)) {
        var reused = reuseAll(table, store);
        table.reserve(PROMPT.length - reused);
        table.append(PROMPT, reused, PROMPT.length - reused);
      }
      store.waitForBuffers(Duration.ofSeconds(10));
      cache.spill();
      cache.evictAll();
    }
  }

  private static int reuseAll(dev.vllmmlx.cache.BlockTable table, DiskStore store) {
    int length;
    do {
      store.boundary();
      length = table.reuse(PROMPT, PROMPT.length);
    } while (store.deferred());
    return length;
  }

  private DiskStore open(BlockMemory memory) throws IOException {
    return new DiskStore(folder.resolve("cache"), 1 << 20, Blocks.SIZE, memory, warnings::add);
  }

  private List<Path> files() throws IOException {
    try (var files = Files.list(folder.resolve("cache"))) {
      return files.sorted().toList();
    }
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Takes longer for a block than a step allows. */
  private static final class SlowBlocks implements BlockMemory {
    private final Blocks blocks;
    private int copies;

    SlowBlocks(int count) {
      blocks = new Blocks(count);
    }

    @Override
    public int blockBytes() {
      return blocks.blockBytes();
    }

    @Override
    public void copyOut(int block, java.nio.ByteBuffer into) {
      copies++;
      sleep();
      blocks.copyOut(block, into);
    }

    @Override
    public void copyIn(int block, java.nio.ByteBuffer from) {
      sleep();
      blocks.copyIn(block, from);
    }

    private static void sleep() {
      try {
        Thread.sleep(12);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
