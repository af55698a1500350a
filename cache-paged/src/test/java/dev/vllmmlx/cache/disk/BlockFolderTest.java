package dev.vllmmlx.cache.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlockFolderTest {
  private static final int SIZE = 1_000;

  @TempDir Path parent;

  @Test
  void evictsWhatWasUsedLongestAgoBeyondTheLimit() throws IOException {
    var folder = folder(5);
    for (var chain = 0; chain < 5; chain++) {
      write(folder, chain, 0);
      usedAt(folder, chain, 0, chain == 0 ? 100 : chain);
    }
    write(folder, 5, 0);

    assertThat(has(folder, 0, 0)).as("used lately").isTrue();
    assertThat(has(folder, 1, 0)).as("used longest ago").isFalse();
    assertThat(has(folder, 5, 0)).isTrue();
    assertThat(bytes()).isLessThanOrEqualTo(5 * SIZE);
    assertThat(folder.usage())
        .isEqualTo(new BlockFolder.Usage(files().size(), bytes(), 6 - files().size()));
  }

  @Test
  void neverEvictsWhatAnotherFollows() throws IOException {
    var folder = folder(10);
    for (var at = 0; at < 10; at++) {
      write(folder, 1, at);
      usedAt(folder, 1, at, at); // the first one longest ago
    }
    for (var chain = 2; chain < 5; chain++) {
      write(folder, chain, 0);
      for (var at = 1; at < 10; at++) {
        assertThat(has(folder, 1, at) && !has(folder, 1, at - 1)).as("%d, %d", chain, at).isFalse();
      }
    }
    assertThat(has(folder, 1, 0)).isTrue();
    assertThat(folder.usage().evictions()).isPositive();
  }

  @Test
  void aUseIsSeenByTheNextProcess() throws IOException {
    var folder = folder(5);
    for (var chain = 0; chain < 5; chain++) {
      write(folder, chain, 0);
      usedAt(folder, chain, 0, chain);
    }
    folder.touch(Blocks.prefix(0, 0).parent(), Blocks.prefix(0, 0).key());
    var next = folder(3);
    assertThat(has(next, 0, 0)).isTrue();
    assertThat(next.usage().files()).isEqualTo(2);
  }

  @Test
  void leavesAloneWhatIsNotItsOwn() throws IOException {
    var notes = parent.resolve("cache/notes.txt");
    Files.createDirectories(notes.getParent());
    Files.writeString(notes, "mine".repeat(SIZE));
    var like =
        Files.createDirectory(notes.resolveSibling("0".repeat(32) + "-" + "1".repeat(32) + ".kv"));
    var folder = folder(2);
    for (var chain = 0; chain < 8; chain++) {
      write(folder, chain, 0);
    }
    assertThat(notes).hasContent("mine".repeat(SIZE));
    assertThat(like).isDirectory();
  }

  @Test
  void removesWhatADeadProcessLeftHalfWritten() throws IOException {
    folder(2);
    var old = Files.createFile(parent.resolve("cache/1-1-0.part"));
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minusSeconds(3_600)));
    var fresh = Files.createFile(parent.resolve("cache/1-1-1.part"));
    folder(2);
    assertThat(old).doesNotExist();
    assertThat(fresh).exists();
  }

  @Test
  void aWriteThatFailsLeavesNothing() throws IOException {
    var folder = folder(2);
    var prefix = Blocks.prefix(1, 0);
    assertThatThrownBy(
            () ->
                folder.write(
                    prefix.parent(),
                    prefix.key(),
                    SIZE,
                    file -> {
                      file.write(ByteBuffer.allocate(10));
                      throw new IOException("no space left on device");
                    }))
        .hasMessageContaining("no space");
    assertThat(parent.resolve("cache")).isEmptyDirectory();
  }

  @Test
  void filesAreForTheirOwnerAlone() throws IOException {
    var folder = folder(2);
    write(folder, 1, 0);
    var file = files().getFirst();
    if (Files.getFileStore(file).supportsFileAttributeView("posix")) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .isEqualTo("rw-------");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.getParent())))
          .isEqualTo("rwx------");
    }
  }

  @Test
  void saysWhereItCannotWrite() throws IOException {
    Files.createFile(parent.resolve("cache"));
    assertThatThrownBy(() -> folder(2)).isInstanceOf(IOException.class);
  }

  /** Each as a process would: they know of each other by the folder alone. */
  @Test
  void severalSharersWriteReadAndEvictAmongEachOther() throws Exception {
    var sharers = new ArrayList<Callable<Integer>>();
    for (var i = 0; i < 4; i++) {
      sharers.add(
          () -> {
            var folder = folder(40);
            var read = 0;
            for (var round = 0; round < 400; round++) {
              var prefix = Blocks.prefix(round % 25, round / 25 % 4);
              write(folder, round % 25, round / 25 % 4);
              if (folder.has(prefix.parent(), prefix.key())) {
                read += readWhole(folder, round % 25, round / 25 % 4) ? 1 : 0;
              }
            }
            return read;
          });
    }
    try (var threads = Executors.newFixedThreadPool(4)) {
      for (var result : threads.invokeAll(sharers)) {
        assertThat(result.get()).isPositive();
      }
    }
    assertThat(files()).allMatch(file -> file.toString().endsWith(".kv"));
    folder(40);
    assertThat(bytes()).isLessThanOrEqualTo(40 * SIZE);
  }

  private static boolean readWhole(BlockFolder folder, int chain, int at) throws IOException {
    var prefix = Blocks.prefix(chain, at);
    try (var file = folder.open(prefix.parent(), prefix.key())) {
      var bytes = ByteBuffer.allocate(SIZE + 1);
      while (file.read(bytes) > 0) {
        continue;
      }
      assertThat(bytes.flip()).isEqualTo(contents(chain, at));
      return true;
    } catch (java.nio.file.NoSuchFileException e) {
      return false; // evicted by another
    }
  }

  private BlockFolder folder(int files) throws IOException {
    return new BlockFolder(parent.resolve("cache"), (long) files * SIZE);
  }

  private static void write(BlockFolder folder, int chain, int at) throws IOException {
    var prefix = Blocks.prefix(chain, at);
    folder.write(prefix.parent(), prefix.key(), SIZE, file -> writeAll(file, chain, at));
  }

  private static void writeAll(FileChannel file, int chain, int at) throws IOException {
    var contents = contents(chain, at);
    while (contents.hasRemaining()) {
      file.write(contents);
    }
  }

  private static ByteBuffer contents(int chain, int at) {
    var contents = ByteBuffer.allocate(SIZE);
    while (contents.remaining() >= 8) {
      contents.putInt(chain).putInt(at);
    }
    return contents.rewind();
  }

  private static boolean has(BlockFolder folder, int chain, int at) {
    return folder.has(Blocks.prefix(chain, at).parent(), Blocks.prefix(chain, at).key());
  }

  private static void usedAt(BlockFolder folder, int chain, int at, int second) throws IOException {
    var prefix = Blocks.prefix(chain, at);
    Files.setLastModifiedTime(
        folder.file(prefix.parent(), prefix.key()), FileTime.from(Instant.ofEpochSecond(second)));
  }

  private List<Path> files() throws IOException {
    try (var files = Files.list(parent.resolve("cache"))) {
      return files.toList();
    }
  }

  private long bytes() throws IOException {
    var sum = 0L;
    for (var file : files()) {
      sum += Files.size(file);
    }
    return sum;
  }
}
