package dev.vllmmlx.cache.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.cache.BlockKey;
import dev.vllmmlx.cache.Lineage;
import dev.vllmmlx.cache.Prefix;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlockFileTest {
  private static final BlockFile FORMAT = new BlockFile(Blocks.SIZE, Blocks.BYTES);
  private static final Prefix PREFIX = Blocks.prefix(7, 1);

  @TempDir Path folder;
  private Path path;
  private byte[] whole;

  @BeforeEach
  void write() throws IOException {
    path = folder.resolve("file");
    try (var file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      FORMAT.write(file, FORMAT.head(PREFIX), ByteBuffer.wrap(new Blocks(1).of(0)));
    }
    whole = Files.readAllBytes(path);
  }

  @Test
  void readsWhatItWrote() throws IOException {
    assertThat(whole).hasSize((int) FORMAT.size(PREFIX));
    assertThat(read(FORMAT, PREFIX)).isEqualTo(new Blocks(1).of(0));
  }

  @Test
  void refusesEveryByteChanged() throws IOException {
    for (var i = 0; i < whole.length; i++) {
      for (var change : new int[] {1, 0x80, 0xff}) {
        var changed = whole.clone();
        changed[i] ^= (byte) change;
        assertRefused(changed, "byte %d".formatted(i));
      }
    }
  }

  @Test
  void refusesEveryLengthButItsOwn() throws IOException {
    for (var length = 0; length < whole.length; length++) {
      assertRefused(Arrays.copyOf(whole, length), "cut to " + length);
    }
    assertRefused(Arrays.copyOf(whole, whole.length + 1), "a byte more");
  }

  @Test
  void refusesZerosWhereAPowerCutLeftThem() throws IOException {
    for (var from = 0; from < whole.length; from += 16) {
      var torn = whole.clone();
      Arrays.fill(torn, from, whole.length, (byte) 0);
      assertRefused(torn, "zeros from " + from);
    }
  }

  @Test
  void refusesWhatIsOfAnother() {
    var lineage = PREFIX.lineage();
    var otherTokens = PREFIX.tokens().clone();
    otherTokens[0]++;
    var others =
        List.of(
            with(new Lineage("other", "", lineage.tenant()), PREFIX.tokens()),
            with(new Lineage(lineage.model(), "other", lineage.tenant()), PREFIX.tokens()),
            with(new Lineage(lineage.model(), "", "other"), PREFIX.tokens()),
            with(new Lineage(lineage.model() + lineage.tenant(), "", ""), PREFIX.tokens()),
            with(lineage, otherTokens),
            new Prefix(lineage, new BlockKey(9, 9), PREFIX.key(), PREFIX.tokens(), PREFIX.length()),
            new Prefix(
                lineage, PREFIX.parent(), new BlockKey(9, 9), PREFIX.tokens(), PREFIX.length()));
    for (var other : others) {
      assertThatThrownBy(() -> read(FORMAT, other)).isInstanceOf(BlockFile.Unusable.class);
    }
    assertThatThrownBy(() -> read(new BlockFile(2 * Blocks.SIZE, Blocks.BYTES), PREFIX))
        .isInstanceOf(BlockFile.Unusable.class);
    assertThatThrownBy(() -> read(new BlockFile(Blocks.SIZE, Blocks.BYTES - 1), PREFIX))
        .isInstanceOf(BlockFile.Unusable.class);
  }

  private static Prefix with(Lineage lineage, int[] tokens) {
    return new Prefix(lineage, PREFIX.parent(), PREFIX.key(), tokens, PREFIX.length());
  }

  private void assertRefused(byte[] contents, String what) throws IOException {
    Files.write(path, contents);
    assertThatThrownBy(() -> read(FORMAT, PREFIX)).as(what).isInstanceOf(BlockFile.Unusable.class);
  }

  private byte[] read(BlockFile format, Prefix prefix) throws IOException {
    var into = ByteBuffer.allocate(Blocks.BYTES);
    try (var file = FileChannel.open(path, StandardOpenOption.READ)) {
      format.read(file, prefix, into);
    }
    return into.array();
  }
}
