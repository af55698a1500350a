package dev.vllmmlx.mlx.array;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibrariesTest {

  @TempDir Path cache;

  /** As the jar holds them. */
  private static NativeLibraries.Source jar(Map<String, byte[]> files) throws Exception {
    var manifest = new StringBuilder();
    for (var file : files.entrySet()) {
      var digest = MessageDigest.getInstance("SHA-256").digest(file.getValue());
      manifest
          .append(HexFormat.of().formatHex(digest))
          .append(' ')
          .append(file.getValue().length)
          .append(' ')
          .append(file.getKey())
          .append('\n');
    }
    var all = new TreeMap<>(files);
    all.put("manifest.txt", manifest.toString().getBytes(StandardCharsets.UTF_8));
    return name -> all.containsKey(name) ? new ByteArrayInputStream(all.get(name)) : null;
  }

  private static final Map<String, byte[]> FILES =
      Map.of("libone.so", new byte[] {1, 2, 3}, "deep/er/libtwo.so", new byte[500_000]);

  @Test
  void unpacksEveryFileOnce() throws Exception {
    var folder = NativeLibraries.extract(jar(FILES), cache);
    assertThat(folder.resolve("libone.so")).hasBinaryContent(FILES.get("libone.so"));
    var made = Files.getLastModifiedTime(folder.resolve("deep/er/libtwo.so"));
    assertThat(NativeLibraries.extract(jar(FILES), cache)).isEqualTo(folder);
    assertThat(Files.getLastModifiedTime(folder.resolve("deep/er/libtwo.so"))).isEqualTo(made);
  }

  @Test
  void mendsABrokenFolder() throws Exception {
    var folder = NativeLibraries.extract(jar(FILES), cache);
    Files.write(folder.resolve("libone.so"), new byte[1]);
    Files.delete(folder.resolve("deep/er/libtwo.so"));
    NativeLibraries.extract(jar(FILES), cache);
    assertThat(folder.resolve("libone.so")).hasBinaryContent(FILES.get("libone.so"));
    assertThat(folder.resolve("deep/er/libtwo.so")).hasSize(500_000);
  }

  @Test
  void startsManyAtOnce() throws Exception {
    var source = jar(FILES);
    try (var threads = Executors.newFixedThreadPool(16)) {
      var starts = new ArrayList<Future<Path>>();
      for (var i = 0; i < 64; i++) {
        starts.add(
            threads.submit(
                () -> {
                  var folder = NativeLibraries.extract(source, cache);
                  assertThat(folder.resolve("libone.so")).hasBinaryContent(FILES.get("libone.so"));
                  assertThat(folder.resolve("deep/er/libtwo.so")).hasSize(500_000);
                  return folder;
                }));
      }
      for (var start : starts) {
        start.get();
      }
    }
    try (var left = Files.walk(cache)) {
      assertThat(left.filter(Files::isRegularFile)).hasSize(2);
    }
  }

  @Test
  void keepsVersionsApart() throws Exception {
    var first = NativeLibraries.extract(jar(FILES), cache);
    var second = NativeLibraries.extract(jar(Map.of("libone.so", new byte[] {9})), cache);
    assertThat(second).isNotEqualTo(first);
    assertThat(first.resolve("libone.so")).hasSize(3);
  }

  @Test
  void refusesAFileThatIsNotTheManifests() throws Exception {
    var good = jar(FILES);
    NativeLibraries.Source bad =
        name -> name.equals("libone.so") ? new ByteArrayInputStream(new byte[3]) : good.open(name);
    assertThatThrownBy(() -> NativeLibraries.extract(bad, cache))
        .isInstanceOf(MlxException.class)
        .hasMessageContaining("libone.so")
        .hasMessageContaining("checksum");
  }

  @Test
  void saysWhereItCannotWrite() throws Exception {
    var file = Files.createFile(cache.resolve("file"));
    var source = jar(FILES);
    assertThatThrownBy(() -> NativeLibraries.extract(source, file.resolve("below")))
        .isInstanceOf(MlxException.class)
        .hasMessageContaining("XDG_CACHE_HOME");
  }
}
