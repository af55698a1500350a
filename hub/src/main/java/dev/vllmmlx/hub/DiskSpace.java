package dev.vllmmlx.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much room there is. */
@FunctionalInterface
interface DiskSpace {

  /** Bytes that this user may still write into the folder, which exists. */
  long usableBytes(Path folder) throws IOException;

  /** Asks the file system. */
  DiskSpace SYSTEM = folder -> Files.getFileStore(folder).getUsableSpace();

  /**
   * Throws {@link HubException.DiskFull} if there is not room for so many more bytes in the folder.
   */
  default void require(Path folder, long bytes) {
    long usable;
    try {
      Files.createDirectories(folder);
      usable = usableBytes(folder);
    } catch (IOException e) {
      throw new HubException.Storage("The folder %s cannot be used: %s".formatted(folder, e), e);
    }
    if (usable < bytes) {
      throw full(folder, bytes, usable, null);
    }
  }

  /**
   * The error for a folder that lacks room; a negative {@code usable} means that it is not known.
   */
  static HubException.DiskFull full(Path folder, long bytes, long usable, Throwable cause) {
    return new HubException.DiskFull(
        ("Not enough room on the disk: %s more (%d bytes) must go into %s%s. Make room, or set HF_HOME"
                + " (for the default model XDG_CACHE_HOME) to a folder on a larger disk.")
            .formatted(
                ByteCount.text(bytes),
                bytes,
                folder,
                usable < 0 ? "" : ", which has " + ByteCount.text(usable) + " free"),
        cause);
  }
}
