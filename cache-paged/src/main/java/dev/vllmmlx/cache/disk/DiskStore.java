package dev.vllmmlx.cache.disk;

import dev.vllmmlx.cache.BlockKey;
import dev.vllmmlx.cache.BlockStore;
import dev.vllmmlx.cache.Prefix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Blocks in the files of a folder. Between two steps the engine's thread copies what is new into a
 * few buffers, and a thread of the store's own writes them; if none is free, the block waits its
 * turn in the pool. Files are read by the engine's thread, between two steps as well. Copying and
 * reading have a few milliseconds each, so that nobody waits long for a next token: what is left is
 * for the next time.
 *
 * <p>A file that is damaged, cut short or of something else is told of, removed, and never used.
 * All methods are for the engine's thread, but for {@link #figures}.
 */
public final class DiskStore implements BlockStore, AutoCloseable {

  /** Bytes of all buffers, roughly. */
  private static final long BUFFERS = 64L << 20;

  /** Of steps, what copying and what reading may take; one block is copied or read in any case. */
  private static final Duration EACH_STEP = Duration.ofMillis(5);

  /** At the end, for what has been begun. */
  private static final Duration LEAST_PATIENCE = Duration.ofSeconds(1);

  /** Of tasks that wait: beyond that it is not noted any more that a file was of use. */
  private static final int MOST_TOUCHES = 100_000;

  /** What the writing thread is to do. */
  private sealed interface Task {
    record Write(Prefix prefix, ByteBuffer bytes) implements Task {}

    record Touch(BlockKey parent, BlockKey key) implements Task {}

    record Delete(BlockKey parent, BlockKey key) implements Task {}

    record End() implements Task {}
  }

  private final BlockFile format;
  private final BlockFolder folder;
  private final BlockMemory memory;
  private final Consumer<String> warnings;
  private final ReadPace pace;
  private final BlockBuffers buffers;

  /** What files are read into; one of {@link #buffers}. */
  private final ByteBuffer reading;

  private final BlockingQueue<Task> tasks = new LinkedBlockingQueue<>();
  private final Set<BlockKey> beingWritten = ConcurrentHashMap.newKeySet();

  /** Of files that are still there, perhaps, and to be replaced. */
  private final Set<BlockKey> refusedKeys = ConcurrentHashMap.newKeySet();

  private final AtomicLong written = new AtomicLong();
  private final AtomicLong read = new AtomicLong();
  private final AtomicLong lost = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final Thread writer;

  private long copyNanos;
  private long readNanos;
  private boolean deferred;

  /**
   * Opens the folder, and makes it where it is not there.
   *
   * @param limit bytes of all its files
   * @param blockSize tokens of a block
   * @param warnings hears of what is wrong with files, on any thread
   * @throws IOException if the folder cannot be used, or there is no memory to read and write it
   * @throws IllegalArgumentException if the limit is less than a block
   */
  public DiskStore(
      Path folder, long limit, int blockSize, BlockMemory memory, Consumer<String> warnings)
      throws IOException {
    this(
        folder,
        limit,
        blockSize,
        memory,
        warnings,
        arena -> arena.allocate(memory.blockBytes(), 64).asByteBuffer());
  }

  /**
   * @param room makes a buffer of a block; may throw OutOfMemoryError
   */
  DiskStore(
      Path folder,
      long limit,
      int blockSize,
      BlockMemory memory,
      Consumer<String> warnings,
      Function<Arena, ByteBuffer> room)
      throws IOException {
    this.format = new BlockFile(blockSize, memory.blockBytes());
    if (limit < 2L * memory.blockBytes()) {
      throw new IllegalArgumentException(
          "%d bytes are no room for blocks of %d".formatted(limit, memory.blockBytes()));
    }
    this.folder = new BlockFolder(folder, limit);
    this.memory = memory;
    this.warnings = warnings;
    this.pace = new ReadPace(blockSize);
    var most = (int) Math.clamp(BUFFERS / memory.blockBytes(), 3, 1024);
    try {
      this.buffers = new BlockBuffers(2, most, room, warnings); // one to read, one to write
    } catch (OutOfMemoryError e) {
      throw new IOException("no memory for a buffer of %d bytes".formatted(memory.blockBytes()), e);
    }
    this.reading = buffers.take().orElseThrow();
    this.writer = Thread.ofPlatform().name("kv-writer").daemon().start(this::write);
  }

  /**
   * Makes the folder of a store where it is not there, for its owner's eyes alone; any thread.
   *
   * @throws IOException if that fails
   */
  public static void makeFolder(Path folder) throws IOException {
    BlockFolder.make(folder);
  }

  /** A step's boundary: copying and reading have their time again. */
  public void boundary() {
    copyNanos = 0;
    readNanos = 0;
  }

  /** A step of so many rows has taken so long: reading is to be quicker than that. */
  public void computed(int rows, long nanos) {
    pace.computed(rows, nanos);
  }

  /** Whether, since this was asked last, a block was not read for want of time alone. */
  public boolean deferred() {
    var was = deferred;
    deferred = false;
    return was;
  }

  @Override
  public boolean published(Prefix prefix, int block) {
    return keep(prefix, block);
  }

  @Override
  public void evicted(Prefix prefix, int block) {
    if (!keep(prefix, block)) {
      lost.incrementAndGet();
    }
  }

  private boolean keep(Prefix prefix, int block) {
    if (beingWritten.contains(prefix.key())) {
      return true;
    }
    // One that was cut short, and is found after a gap in its chain, is written anew.
    if (folder.has(prefix.parent(), prefix.key(), format.size(prefix))
        && !refusedKeys.contains(prefix.key())) {
      touch(prefix);
      return true;
    }
    if (copyNanos > EACH_STEP.toNanos() && !buffers.patient()) {
      return false;
    }
    var buffer = buffers.take();
    if (buffer.isEmpty()) {
      return false;
    }
    var began = System.nanoTime();
    try {
      memory.copyOut(block, buffer.get().clear());
    } catch (RuntimeException e) {
      buffers.giveBack(buffer.get());
      lost.incrementAndGet();
      tell(e);
      return true; // as good as kept: whoever asks again would get no further
    } finally {
      copyNanos += System.nanoTime() - began;
    }
    beingWritten.add(prefix.key());
    tasks.add(new Task.Write(prefix, buffer.get().flip()));
    return true;
  }

  private void touch(Prefix prefix) {
    if (tasks.size() < MOST_TOUCHES) {
      tasks.add(new Task.Touch(prefix.parent(), prefix.key()));
    }
  }

  @Override
  public boolean has(BlockKey parent, BlockKey key) {
    if (!folder.has(parent, key) || refusedKeys.contains(key) || !pace.pays()) {
      return false;
    }
    if (readNanos > EACH_STEP.toNanos()) {
      deferred = true;
      return false;
    }
    return true;
  }

  @Override
  public boolean load(Prefix prefix, int into) {
    var began = System.nanoTime();
    try {
      var bytes = reading.clear();
      try (var file = folder.open(prefix.parent(), prefix.key())) {
        format.read(file, prefix, bytes);
      }
      memory.copyIn(into, bytes);
      read.incrementAndGet();
      touch(prefix);
      return true;
    } catch (NoSuchFileException e) {
      return false; // evicted meanwhile
    } catch (IOException e) {
      refuse(prefix, e);
      return false;
    } catch (RuntimeException e) {
      tell(e); // the pool could not take it: no fault of the file's
      return false;
    } finally {
      var nanos = System.nanoTime() - began;
      readNanos += nanos;
      pace.read(nanos);
    }
  }

  private void refuse(Prefix prefix, IOException e) {
    refused.incrementAndGet();
    refusedKeys.add(prefix.key());
    warnings.accept(
        "%s of the prefix cache is ignored: %s"
            .formatted(folder.file(prefix.parent(), prefix.key()), e.getMessage()));
    tasks.add(new Task.Delete(prefix.parent(), prefix.key()));
  }

  /** The end is near: till then blocks wait for a buffer, and the time of a step is no limit. */
  public void waitForBuffers(Duration longest) {
    buffers.waitFor(longest);
  }

  /** Any thread. */
  public DiskFigures figures() {
    var usage = folder.usage();
    return new DiskFigures(
        usage.files(),
        usage.bytes(),
        written.get(),
        read.get(),
        lost.get(),
        refused.get(),
        failed.get(),
        usage.evictions());
  }

  /** Writes what was taken, at least for as long as {@link #waitForBuffers} allows, and ends. */
  @Override
  public void close() {
    tasks.add(new Task.End());
    try {
      var patience = buffers.patience();
      writer.join(patience.compareTo(LEAST_PATIENCE) < 0 ? LEAST_PATIENCE : patience);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (writer.isAlive()) {
      // It may hang in a disk that does not answer; it is a daemon.
      warnings.accept(
          "%d blocks of the prefix cache were not written in time".formatted(beingWritten.size()));
      tasks.clear();
      tasks.add(new Task.End());
    }
  }

  private void write() {
    try (buffers) {
      while (true) {
        var task = tasks.take();
        if (task instanceof Task.End) {
          return;
        }
        try {
          perform(task);
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
          tell(e);
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
          refusedKeys.remove(prefix.key());
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

  /** The first of a row of failures; a full disk fails a thousand times alike. */
  private void tell(Throwable e) {
    var count = failed.incrementAndGet();
    if (Long.bitCount(count) == 1) {
      warnings.accept(
          "the prefix cache passed over a block that it could not copy (%d times so far): %s"
              .formatted(count, e));
    }
  }
}
