package dev.vllmmlx.text.grammar;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/**
 * Finds the native library on disk, and puts it there the first time: {@code dlopen} reads files,
 * not jars.
 *
 * <p>The jar carries {@code native/grammar/<os>-<arch>/} with the library and its sha256. It is
 * written to {@code <cache>/vllm-mlx/native/<sha256>/} under a name of its own and then moved into
 * place, so that several processes may start at once.
 */
final class GrammarLibrary {

  private GrammarLibrary() {}

  /** The library's file. Throws {@link IllegalStateException} that says what is missing. */
  static Path locate() {
    var platform = platform();
    var name = platform.startsWith("macos") ? "libvllmmlxgrammar.dylib" : "libvllmmlxgrammar.so";
    var base = "/native/grammar/" + platform + "/";
    var packed = GrammarLibrary.class.getResource(base + name);
    if (packed == null) {
      throw new IllegalStateException(
          "this build carries no native grammar library for %s: build it on such a machine"
              .formatted(platform));
    }
    if (packed.getProtocol().equals("file")) {
      return Path.of(URI.create(packed.toString()));
    }
    var cache = cache();
    try {
      var sha256 = new String(read(base + "sha256"), StandardCharsets.US_ASCII).strip();
      var file = cache.resolve(sha256.substring(0, 16)).resolve(name);
      if (!Files.isRegularFile(file) || !sha256.equals(sha256(Files.readAllBytes(file)))) {
        extract(read(base + name), sha256, file);
      }
      return file;
    } catch (IOException e) {
      throw new IllegalStateException(
          "cannot unpack the native grammar library to %s: %s. Set XDG_CACHE_HOME to a folder that can be written"
              .formatted(cache, e.getMessage()),
          e);
    }
  }

  private static void extract(byte[] library, String sha256, Path file) throws IOException {
    if (!sha256.equals(sha256(library))) {
      throw new IOException("the library in the jar does not have the checksum beside it");
    }
    Files.createDirectories(file.getParent());
    var partial = Files.createTempFile(file.getParent(), ".unpack-", ".part");
    try {
      Files.write(partial, library);
      Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  private static byte[] read(String resource) throws IOException {
    try (InputStream in = GrammarLibrary.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IOException("the jar has no " + resource);
      }
      return in.readAllBytes();
    }
  }

  private static Path cache() {
    var xdg = System.getenv("XDG_CACHE_HOME");
    var root =
        xdg == null || xdg.isBlank()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(xdg);
    return root.resolve("vllm-mlx").resolve("native");
  }

  /** {@code <os>-<arch>} as the build names it. */
  private static String platform() {
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

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
