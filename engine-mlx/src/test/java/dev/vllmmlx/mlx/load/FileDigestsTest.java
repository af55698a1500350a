package dev.vllmmlx.mlx.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileDigestsTest {
  /** Of {@code abc}, as FIPS 180-4's example has it. */
  private static final String ABC =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  @TempDir Path folder;
  private Path memory;
  private Path file;

  @BeforeEach
  void write() throws IOException {
    memory = folder.resolve("digests.txt");
    file = Files.writeString(folder.resolve("a file"), "abc");
  }

  @Test
  void isOfTheContents() throws IOException {
    assertThat(new FileDigests(memory).of(file)).isEqualTo(ABC);
    var link = Files.createSymbolicLink(folder.resolve("link"), file);
    assertThat(new FileDigests(memory).of(link)).isEqualTo(ABC);
  }

  @Test
  void remembersAFileUntilItsSizeOrTimeIsAnother() throws IOException {
    new FileDigests(memory).of(file);
    var time = Files.getLastModifiedTime(file);
    Files.writeString(file, "abd");
    Files.setLastModifiedTime(file, time);
    assertThat(new FileDigests(memory).of(file)).as("not read again").isEqualTo(ABC);

    Files.setLastModifiedTime(file, FileTime.fromMillis(1));
    assertThat(new FileDigests(memory).of(file)).isNotEqualTo(ABC);
    assertThat(memory).content().hasLineCount(1);
    Files.writeString(file, "abcd");
    Files.setLastModifiedTime(file, FileTime.fromMillis(1));
    assertThat(new FileDigests(memory).of(file)).isNotEqualTo(ABC);
  }

  @Test
  void passesOverAMemoryThatIsNone() throws IOException {
    Files.write(memory, "torn\n\n?".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    assertThat(new FileDigests(memory).of(file)).isEqualTo(ABC);
  }
}
