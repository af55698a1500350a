package dev.vllmmlx.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One holder at a time among all threads of all processes of this machine that ask with the same
 * lock file. The system lets go of it when a process dies, so that the file may stay for ever.
 *
 * <p>It spares a second download of the same bytes; correctness does not hang on it. On a file
 * system without locks it therefore only warns.
 */
final class FileLease implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FileLease.class);
  private static final long POLL_MILLIS = 50;

  private final FileChannel channel;

  private FileLease(FileChannel channel) {
    this.channel = channel;
  }

  /** Waits until the lease is ours; {@code whenBusy} runs once if another holds it. */
  static FileLease acquire(Path lockFile, Runnable whenBusy) {
    FileChannel channel;
    try {
      Files.createDirectories(lockFile.getParent());
      channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new HubException.Storage("The lock file %s cannot be made.".formatted(lockFile), e);
    }
    var lease = new FileLease(channel);
    try {
      lease.await(lockFile, whenBusy);
      return lease;
    } catch (RuntimeException e) {
      lease.close();
      throw e;
    }
  }

  private void await(Path lockFile, Runnable whenBusy) {
    var told = false;
    while (true) {
      try {
        if (tryLock() != null) {
          return;
        }
      } catch (IOException e) {
        LOG.warn("{} cannot be locked ({}); going on without", lockFile, e.getMessage());
        return;
      }
      if (!told) {
        whenBusy.run();
        told = true;
      }
      try {
        Thread.sleep(POLL_MILLIS);
      } catch (InterruptedException e) {
        throw new HubException.Interrupted("Interrupted while waiting for another download.", e);
      }
    }
  }

  private FileLock tryLock() throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException _) {
      return null; // Another thread of this process holds it.
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      LOG.warn("A lock file could not be closed", e);
    }
  }
}
