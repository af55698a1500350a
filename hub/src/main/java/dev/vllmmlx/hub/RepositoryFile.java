package dev.vllmmlx.hub;

import java.util.regex.Pattern;

/**
 * A file of a repository at one commit.
 *
 * @param path slashes between its parts, relative to the repository's root
 * @param size bytes
 * @param etag name of its blob: the SHA-256 of a large file, Git's blob SHA-1 of any other, both in
 *     hex
 */
record RepositoryFile(String path, long size, String etag) {
  private static final Pattern ETAG = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

  RepositoryFile {
    if (!isSafePath(path)) {
      throw new HubException.Corrupt(
          "The hub names a file outside the repository: '%s'.".formatted(path));
    }
    if (size < 0) {
      throw new HubException.Corrupt(
          "The hub gives '%s' a size of %d bytes.".formatted(path, size));
    }
    if (!ETAG.matcher(etag).matches()) {
      throw new HubException.Corrupt(
          "The hub gives '%s' the unusable tag '%s'.".formatted(path, etag));
    }
  }

  /** Whether the path stays inside the folder it is resolved against, on every system. */
  static boolean isSafePath(String path) {
    if (path.isEmpty() || path.contains("\\") || path.contains(":") || path.indexOf('\0') >= 0) {
      return false;
    }
    for (var part : path.split("/", -1)) {
      if (part.isEmpty() || part.equals(".") || part.equals("..")) {
        return false;
      }
    }
    return true;
  }

  boolean isInRoot() {
    return path.indexOf('/') < 0;
  }
}
