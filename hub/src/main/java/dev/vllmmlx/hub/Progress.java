package dev.vllmmlx.hub;

/**
 * Hears how a download goes. Calls may come from several threads at once, those about one file
 * always from one thread at a time; they must return quickly and throw nothing. All numbers are
 * bytes.
 */
public interface Progress {

  /** Hears nothing. */
  Progress NONE = new Progress() {};

  /** Something worth a line of its own, such as waiting for another process. */
  default void note(String message) {}

  /**
   * The files that are about to be fetched: how many, and how many bytes in all, parts already here
   * included.
   */
  default void planned(String what, int files, long totalBytes) {}

  /** One file begins; {@code presentBytes} of it are here from an earlier, broken attempt. */
  default void fileStarted(String file, long totalBytes, long presentBytes) {}

  /**
   * More of the file has arrived. A negative number takes bytes back, when a file must be begun
   * anew.
   */
  default void advanced(String file, long bytes) {}

  /** The file is whole, verified, and in its place. */
  default void fileDone(String file) {}

  /** Nothing more will come, for better or worse; paired with {@link #planned}. */
  default void ended() {}
}
