package dev.vllmmlx.hub;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/** The digests that name a repository's files. */
final class Checksum {
  private Checksum() {}

  static MessageDigest sha256() {
    return digest("SHA-256");
  }

  /**
   * Git's name of a blob is the SHA-1 of {@code "blob <size>\0"} and its bytes (git-hash-object).
   */
  static MessageDigest gitBlob(long size) {
    var digest = digest("SHA-1");
    digest.update(("blob " + size + "\0").getBytes(StandardCharsets.US_ASCII));
    return digest;
  }

  /** The digest whose hex form must equal the file's tag; empty for a tag that is neither kind. */
  static Optional<MessageDigest> of(RepositoryFile file) {
    if (!file.etag().matches("[0-9a-f]+")) {
      return Optional.empty();
    }
    return switch (file.etag().length()) {
      case 64 -> Optional.of(sha256());
      case 40 -> Optional.of(gitBlob(file.size()));
      default -> Optional.empty();
    };
  }

  static String hex(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest digest(String name) {
    try {
      return MessageDigest.getInstance(name);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has " + name, e);
    }
  }
}
