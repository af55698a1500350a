package dev.vllmmlx.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final AtomicLong clock = new AtomicLong();

  @Test
  void rewritesOneLineOnATerminal() {
    var bar = bar(true);
    bar.planned("a/b", 2, 100_000_000);
    bar.fileStarted("x", 60_000_000, 0);
    seconds(1);
    bar.advanced("x", 25_000_000);
    bar.fileStarted("y", 40_000_000, 0);
    seconds(1);
    bar.advanced("y", 25_000_000);
    seconds(2);
    bar.advanced("x", 35_000_000);
    bar.advanced("y", 15_000_000);
    bar.ended();

    var lines = written().split("\n", -1);
    assertThat(lines[0]).isEqualTo("Downloading a/b: 100.0 MB in 2 files");
    assertThat(lines).as("all redraws are one line").hasSize(3);
    assertThat(lines[1].split("\r"))
        .contains(
            "[######------------------]  25%  25.0 MB of 100.0 MB  25.0 MB/s  0:03 left\033[K",
            "[############------------]  50%  50.0 MB of 100.0 MB  25.0 MB/s  0:02 left\033[K")
        .endsWith("[########################] 100%  100.0 MB of 100.0 MB  25.0 MB/s\033[K");
    assertThat(lines[2]).isEmpty();
  }

  @Test
  void doesNotRedrawForEveryByte() {
    var bar = bar(true);
    bar.planned("a/b", 1, 1_000_000);
    bar.fileStarted("x", 1_000_000, 0);
    for (var i = 0; i < 10_000; i++) {
      clock.addAndGet(100_000);
      bar.advanced("x", 100);
    }
    bar.ended();

    assertThat(written().chars().filter(c -> c == '\r').count()).isBetween(5L, 15L);
  }

  @Test
  void writesALineEveryTenthElsewhere() {
    var bar = bar(false);
    bar.planned("a/b", 1, 1000);
    bar.fileStarted("x", 1000, 0);
    for (var i = 0; i < 100; i++) {
      seconds(1);
      bar.advanced("x", 10);
    }
    bar.fileDone("x");
    bar.ended();

    assertThat(written().lines())
        .hasSize(11)
        .startsWith(
            "Downloading a/b: 1.0 kB in 1 file", "a/b:  10%  100 B of 1.0 kB  10 B/s  1:30 left")
        .endsWith("a/b: 100%  1.0 kB of 1.0 kB  10 B/s")
        .noneMatch(line -> line.contains("\033") || line.contains("\r"));
  }

  @Test
  void countsWhatWasHereAndWhatWasThrownAway() {
    var bar = bar(false);
    bar.planned("a/b", 1, 1000);
    bar.fileStarted("x", 1000, 500);
    bar.advanced("x", 500);
    bar.advanced("x", -1000);
    bar.fileStarted("x", 1000, 0);
    bar.advanced("x", 1000);
    bar.ended();

    assertThat(written().lines())
        .containsExactly(
            "Downloading a/b: 1.0 kB in 1 file",
            "a/b:  50%  500 B of 1.0 kB",
            "a/b: 100%  1.0 kB of 1.0 kB");
  }

  @Test
  void writesSizesForPeople() {
    assertThat(ByteCount.text(999)).isEqualTo("999 B");
    assertThat(ByteCount.text(98_362_432)).isEqualTo("98.4 MB");
    assertThat(ByteCount.text(999_999)).isEqualTo("1.0 MB");
    assertThat(ByteCount.text(4_210_000_000L)).isEqualTo("4.21 GB");
    assertThat(ByteCount.text(Long.MAX_VALUE)).isEqualTo("9223372.04 TB");
  }

  private ProgressBar bar(boolean terminal) {
    return new ProgressBar(
        new PrintStream(out, true, StandardCharsets.UTF_8), terminal, clock::get);
  }

  private void seconds(int count) {
    clock.addAndGet(count * 1_000_000_000L);
  }

  private String written() {
    return out.toString(StandardCharsets.UTF_8);
  }
}
