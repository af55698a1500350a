package dev.vllmmlx.cache.disk;

import dev.vllmmlx.cache.BlockKey;
import dev.vllmmlx.cache.Prefix;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The thread that changes the folder: it writes blocks, notes that they were of use, and removes
 * files that are not what they should be. One thread asks it, but for {@link #written}.
 */
final class BlockWriter {

  /** Of tasks that wait: beyond that it is not noted any more that a file was of use. */
  private static final int MOST_TOUCHES = 100_000;

  private sealed interface Task {
    record Write(Prefix prefix, ByteBuffer bytes) implements Task {}

    record Touch(BlockKey parent, BlockKey key) implements Task {}

    record Delete(BlockKey parent, BlockKey key) implements Task {}

    record End() implements Task {}
  }

  private final BlockFolder folder;
  private final BlockFile format;
  private final BlockBuffers buffers;
  private final Consumer<Throwable> failures;
  private final BlockingQueue<Task> tasks = new LinkedBlockingQueue<>();
  private final Set<BlockKey> beingWritten = ConcurrentHashMap.newKeySet();

  /** Of files that are still there, perhaps, and to be replaced. */
  private final Set<BlockKey> refused = ConcurrentHashMap.newKeySet();

  private final AtomicLong written = new AtomicLong();
  private final Thread thread;

  /**
   * @param buffers what is written goes back to; freed when the thread ends
   * @param failures hears of what could not be done, on this thread
   */
  BlockWriter(
      BlockFolder folder, BlockFile format, BlockBuffers buffers, Consumer<Throwable> failures) {
    this.folder = folder;
    this.format = format;
    this.buffers = buffers;
    this.failures = failures;
    this.thread = Thread.ofPlatform().name("kv-writer").daemon().start(this::perform);
  }

  /** Writes a block some time; the buffer is not the caller's any more. */
  void write(Prefix prefix, ByteBuffer bytes) {
    beingWritten.add(prefix.key());
    tasks.add(new Task.Write(prefix, bytes));
  }

  /** Whether a block waits for being written. */
  boolean writes(BlockKey key) {
    return beingWritten.contains(key);
  }

  /** A block's file was of use. */
  void touch(Prefix prefix) {
    if (tasks.size() < MOST_TOUCHES) {
      tasks.add(new Task.Touch(prefix.parent(), prefix.key()));
    }
  }

  /** A block's file cannot be used: it is removed some time. */
  void refuse(Prefix prefix) {
    refused.add(prefix.key());
    tasks.add(new Task.Delete(prefix.parent(), prefix.key()));
  }

  /** Whether a block's file cannot be used, if it is there still. */
  boolean refuses(BlockKey key) {
    return refused.contains(key);
  }

  /** Blocks that were written so far; any thread. */
  long written() {
    return written.get();
  }

  /**
   * Does what it was asked, as far as there is time, and ends.
   *
   * @return blocks that there was no time for
   */
  int end(Duration patience) {
    tasks.add(new Task.End());
    try {
      thread.join(patience);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!thread.isAlive()) {
      return 0;
    }
    // It may hang in a disk that does not answer; it is a daemon.
    var left = beingWritten.size();
    tasks.clear();
    tasks.add(new Task.End());
    return left;
  }

  private void perform() {
    try (buffers) {
      while (true) {
        var task = tasks.take();
        if (task instanceof Task.End) {
          return;
        }
        try {
          perform(task);
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
          failures.accept(e);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void perform(Task task) throws IOException {
    switch (task) {
      case Task.Write(var prefix, var bytes) -> {
        try {
          folder.write(
              prefix.parent(),
              prefix.key(),
              format.size(prefix),
              file -> format.write(file, format.head(prefix), bytes));
          refused.remove(prefix.key());
          written.incrementAndGet();
        } finally {
          beingWritten.remove(prefix.key());
          buffers.giveBack(bytes);
        }
      }
      case Task.Touch(var parent, var key) -> folder.touch(parent, key);
      case Task.Delete(var parent, var key) -> folder.delete(parent, key);
      case Task.End() -> throw new AssertionError("seen to before");
    }
  }
}
