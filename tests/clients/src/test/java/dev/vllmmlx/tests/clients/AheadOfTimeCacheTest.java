package dev.vllmmlx.tests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.tests.RunningServer;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A start uses the ahead-of-time cache of a rehearsal, and a cache that does not fit is no
 * obstacle. Everything happens in a copy of the distribution, in a folder with a space in its name.
 */
final class AheadOfTimeCacheTest {
  @TempDir static Path scratch;
  private static Path app;
  private static Path cache;
  private static Path rehearsed;

  @BeforeAll
  static void rehearseInACopy() throws Exception {
    app = scratch.resolve("a copy");
    copy(RunningServer.launcher().getParent().getParent(), app);
    var rehearsal = run("rehearse");
    assertThat(rehearsal.exitCode()).as(rehearsal.output()).isZero();
    assertThat(rehearsal.output()).hasLineCount(1).contains("rehearsed");
    cache = onlyCache();
    rehearsed = Files.copy(cache, scratch.resolve("rehearsed"));
  }

  @BeforeEach
  void putTheCacheBack() throws IOException {
    Files.copy(rehearsed, cache, StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void aStartTakesItsClassesFromTheCache() throws Exception {
    assertThat(engines().fromCache()).isTrue();
  }

  @Test
  void aStartWithoutACacheSaysTheSame() throws Exception {
    var with = engines();
    Files.delete(cache);
    var without = engines();
    assertThat(without.fromCache()).isFalse();
    assertThat(without.output()).isEqualTo(with.output());
  }

  @Test
  void aCacheThatIsCutShortIsIgnored() throws Exception {
    try (var file = new RandomAccessFile(cache.toFile(), "rw")) {
      file.setLength(file.length() / 2);
    }
    assertIgnored();
  }

  @Test
  void aFileThatIsNoCacheIsIgnored() throws Exception {
    Files.writeString(cache, "not a cache");
    assertIgnored();
  }

  @Test
  void aCacheWithWrongBytesInTheMiddleIsIgnored() throws Exception {
    try (var file = new RandomAccessFile(cache.toFile(), "rw")) {
      file.seek(file.length() / 2);
      file.write("wrong".repeat(2000).getBytes(StandardCharsets.UTF_8));
    }
    assertIgnored();
  }

  @Test
  void aCacheOfOtherJarsIsIgnored() throws Exception {
    for (var jar : List.of(jars().getFirst(), jars().getLast())) {
      var aside = Files.copy(jar, scratch.resolve("aside.jar"), StandardCopyOption.COPY_ATTRIBUTES);
      try {
        try (var files = FileSystems.newFileSystem(jar)) {
          Files.writeString(files.getPath("other"), "another content");
        }
        assertIgnored();
      } finally {
        Files.move(aside, jar, StandardCopyOption.REPLACE_EXISTING);
      }
    }
    assertThat(engines().fromCache()).isTrue();
  }

  @Test
  void theNameOfTheCacheFollowsTheContentOfTheJars() throws Exception {
    var extra = app.resolve("lib/zz-extra.jar");
    Files.copy(jars().getFirst(), extra);
    try {
      assertThat(engines().fromCache()).isFalse();
    } finally {
      Files.delete(extra);
    }
  }

  @Test
  void aRehearsalThatCannotWriteSaysSo() throws Exception {
    var folder = cache.getParent();
    var aside = Files.move(folder, scratch.resolve("aside"));
    try {
      Files.writeString(folder, "a file where the folder belongs");
      var failed = run("rehearse");
      assertThat(failed.exitCode()).isOne();
      assertThat(failed.output()).contains("cannot write to " + folder);
      assertThat(engines().exitCode()).isZero();
    } finally {
      Files.delete(folder);
      Files.move(aside, folder);
    }
  }

  @Test
  void aRehearsalThatFailsLeavesTheCacheAsItIs() throws Exception {
    var failed = run("rehearse", scratch.resolve("missing.gguf").toString());
    assertThat(failed.exitCode()).isOne();
    assertThat(failed.output()).contains("missing.gguf").contains("the rehearsal failed");
    assertThat(engines().fromCache()).isTrue();
  }

  private static void assertIgnored() throws Exception {
    var start = engines();
    assertThat(start.exitCode()).isZero();
    assertThat(start.fromCache()).isFalse();
    assertThat(start.output()).startsWith("batched ").doesNotContain("[warning]", "[error");
  }

  private record Start(int exitCode, String output, boolean fromCache) {}

  private static Start engines() throws Exception {
    return run("engines");
  }

  /** Runs the copy's launcher to its end, and looks where the JVM took the main class from. */
  private static Start run(String... arguments) throws Exception {
    var classes = scratch.resolve("classes");
    Files.deleteIfExists(classes);
    var output = scratch.resolve("output");
    var builder =
        new ProcessBuilder(
            Stream.concat(Stream.of(app.resolve("bin/vllm-mlx").toString()), Stream.of(arguments))
                .toList());
    builder.environment().put("VLLM_MLX_JAVA_OPTS", "-Xlog:class+load:file=" + classes);
    var process =
        builder.redirectErrorStream(true).redirectOutput(Redirect.to(output.toFile())).start();
    if (!process.waitFor(2, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError("it does not end: " + Files.readString(output));
    }
    var fromCache =
        Files.exists(classes)
            && Files.readString(classes)
                .contains("dev.vllmmlx.gateway.plugin.EngineCatalog source: shared objects file");
    return new Start(process.exitValue(), Files.readString(output), fromCache);
  }

  private static Path onlyCache() throws IOException {
    try (var files = Files.list(app.resolve("cache"))) {
      return files.filter(file -> file.toString().endsWith(".aot")).findFirst().orElseThrow();
    }
  }

  private static List<Path> jars() throws IOException {
    try (var files = Files.list(app.resolve("lib"))) {
      return files.sorted().toList();
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (var files = Files.walk(from)) {
      for (var file : files.filter(file -> !file.startsWith(from.resolve("cache"))).toList()) {
        // The times too, which the JVM compares.
        Files.copy(
            file,
            to.resolve(from.relativize(file)),
            StandardCopyOption.COPY_ATTRIBUTES,
            LinkOption.NOFOLLOW_LINKS);
      }
    }
  }
}
