package dev.vllmmlx.mlx.array;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Finds the native libraries on disk, and puts them there the first time: {@code dlopen} reads
 * files, not jars.
 *
 * <p>The jar carries {@code native/<os>-<arch>/} with a manifest of every file's sha256, size and
 * path. Files are written to {@code <cache>/vllm-mlx/native/<hash of the manifest>/}, each under a
 * name of its own first and then moved into place, so that several processes may start at once and
 * a broken folder mends itself.
 */
final class NativeLibraries {

  /** A folder that holds the libraries already; the environment variable serves too. */
  static final String FOLDER_PROPERTY = "vllmmlx.native.dir";

  static final String FOLDER_VARIABLE = "VLLM_MLX_NATIVE_DIR";

  private static final String MANIFEST = "manifest.txt";

  private NativeLibraries() {}

  /** The folder of the libraries. Throws {@link MlxException} that says what is missing. */
  static Path locate() {
    var given =
        Optional.ofNullable(System.getProperty(FOLDER_PROPERTY))
            .or(() -> Optional.ofNullable(System.getenv(FOLDER_VARIABLE)));
    if (given.isPresent()) {
      return Path.of(given.get());
    }
    var base = "/native/" + platform() + "/";
    var manifest = NativeLibraries.class.getResource(base + MANIFEST);
    if (manifest == null) {
      throw new MlxException(
          "this build carries no native libraries for %s: build it on such a machine, or set -D%s to a folder that has them"
              .formatted(platform(), FOLDER_PROPERTY));
    }
    if (manifest.getProtocol().equals("file")) {
      return Path.of(URI.create(manifest.toString())).getParent();
    }
    return extract(name -> NativeLibraries.class.getResourceAsStream(base + name), cache());
  }

  /** The shim of this system in {@link #locate}'s folder. */
  static Path shim() {
    return locate().resolve(platform().startsWith("macos") ? "libvllmmlx.dylib" : "libvllmmlx.so");
  }

  /** A digest that tells these libraries from those of another build. */
  static String identity() {
    var manifest = locate().resolve(MANIFEST);
    try (var in =
        Files.exists(manifest)
            ? Files.newInputStream(manifest)
            : Optional.ofNullable(
                    NativeLibraries.class.getResourceAsStream(
                        "/native/" + platform() + "/" + MANIFEST))
                .orElseGet(InputStream::nullInputStream)) {
      var digest = sha256();
      digest.update(in.readAllBytes());
      digest.update(Files.readAllBytes(shim()));
      return hex(digest.digest());
    } catch (IOException e) {
      throw new MlxException("cannot read the native libraries: " + e.getMessage(), e);
    }
  }

  /** {@code <os>-<arch>} as the build names it. */
  static String platform() {
    var os =
        System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("mac") ? "macos" : "linux";
    var arch =
        switch (System.getProperty("os.arch")) {
          case "amd64", "x86_64" -> "x86_64";
          case "aarch64", "arm64" -> "aarch64";
          case String other -> other;
        };
    return os + "-" + arch;
  }

  private static Path cache() {
    var xdg = System.getenv("XDG_CACHE_HOME");
    var root =
        xdg == null || xdg.isBlank()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(xdg);
    return root.resolve("vllm-mlx").resolve("native");
  }

  /** Where the packed files come from: a name of the manifest to its content, or null. */
  interface Source {
    InputStream open(String name) throws IOException;
  }

  private record Entry(String sha256, long size, String name) {
    static Entry parse(String line) {
      var parts = line.split(" ", 3);
      return new Entry(parts[0], Long.parseLong(parts[1]), parts[2]);
    }
  }

  static Path extract(Source source, Path cache) {
    try {
      var manifest = read(source, MANIFEST);
      var folder = cache.resolve(hex(sha256().digest(manifest)).substring(0, 16));
      for (var entry : entries(manifest)) {
        var file = folder.resolve(entry.name());
        if (!Files.isRegularFile(file) || Files.size(file) != entry.size()) {
          extract(source, entry, file);
        }
      }
      return folder;
    } catch (IOException | UncheckedIOException e) {
      throw new MlxException(
          "cannot unpack the native libraries to %s: %s. Set XDG_CACHE_HOME to a folder that can be written, or -D%s"
              .formatted(cache, e.getMessage(), FOLDER_PROPERTY),
          e);
    }
  }

  private static List<Entry> entries(byte[] manifest) {
    return new String(manifest, StandardCharsets.UTF_8).lines().map(Entry::parse).toList();
  }

  private static byte[] read(Source source, String name) throws IOException {
    try (var in = open(source, name)) {
      return in.readAllBytes();
    }
  }

  private static InputStream open(Source source, String name) throws IOException {
    var in = source.open(name);
    if (in == null) {
      throw new IOException("the jar has no " + name);
    }
    return in;
  }

  private static void extract(Source source, Entry entry, Path file) throws IOException {
    Files.createDirectories(file.getParent());
    var partial = Files.createTempFile(file.getParent(), ".unpack-", ".part");
    try {
      var digest = sha256();
      try (var in = new DigestInputStream(open(source, entry.name()), digest)) {
        Files.copy(in, partial, StandardCopyOption.REPLACE_EXISTING);
      }
      if (!hex(digest.digest()).equals(entry.sha256())) {
        throw new IOException(
            entry.name() + " in the jar does not have the checksum of its manifest");
      }
      Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
