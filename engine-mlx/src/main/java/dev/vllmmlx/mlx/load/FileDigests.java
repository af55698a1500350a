package dev.vllmmlx.mlx.load;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * SHA-256 of files, remembered in a file of its own: weights are read for it once, and again when
 * their size or their time says that they have changed.
 */
final class FileDigests {
  private static final int PIECE = 1 << 20;

  private final Path memory;

  /** From {@code size mtime path} to the digest. */
  private final Map<String, String> known = new TreeMap<>();

  /**
   * @param memory need not be there; what cannot be understood in it is passed over
   */
  FileDigests(Path memory) throws IOException {
    this.memory = memory;
    try {
      var text = new String(Files.readAllBytes(memory), StandardCharsets.UTF_8);
      for (var line : text.lines().toList()) {
        if (line.matches("[0-9a-f]{64} .+")) {
          known.put(line.substring(65), line.substring(0, 64));
        }
      }
    } catch (NoSuchFileException e) {
      // The first time.
    }
  }

  /** In hexadecimal digits. */
  String of(Path file) throws IOException {
    var real = file.toRealPath();
    var time = Files.getLastModifiedTime(real).to(TimeUnit.NANOSECONDS);
    var name = "%d %d %s".formatted(Files.size(real), time, real);
    var digest = known.get(name);
    if (digest == null) {
      digest = computed(real);
      known.keySet().removeIf(old -> old.endsWith(" " + real));
      known.put(name, digest);
      remember();
    }
    return digest;
  }

  private static String computed(Path file) throws IOException {
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      var digest = MessageDigest.getInstance("SHA-256");
      var piece = ByteBuffer.allocate(PIECE);
      while (channel.read(piece) >= 0) {
        digest.update(piece.flip());
        piece.clear();
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  private void remember() throws IOException {
    var text =
        known.entrySet().stream()
            .map(entry -> entry.getValue() + " " + entry.getKey() + "\n")
            .collect(Collectors.joining());
    var part = Files.createTempFile(memory.toAbsolutePath().getParent(), "digests", ".part");
    try {
      Files.writeString(part, text);
      Files.move(part, memory, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(part);
    }
  }
}
