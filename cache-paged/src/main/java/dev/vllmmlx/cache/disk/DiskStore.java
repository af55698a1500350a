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

  private final BlockFile format;
  private final BlockFolder folder;
  private final BlockMemory memory;
  private final Consumer<String> warnings;
  private final ReadPace pace;
  private final BlockBuffers buffers;

  /** What files are read into; one of {@link #buffers}. */
  private final ByteBuffer reading;

  private final BlockWriter writer;
  private final AtomicLong read = new AtomicLong();
  private final AtomicLong lost = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();

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
    this.writer = new BlockWriter(this.folder, format, buffers, this::tell);
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
    if (writer.writes(prefix.key())) {
      return true;
    }
    // One that was cut short, and is found after a gap in its chain, is written anew.
    if (folder.has(prefix.parent(), prefix.key(), format.size(prefix))
        && !writer.refuses(prefix.key())) {
      writer.touch(prefix);
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
    writer.write(prefix, buffer.get().flip());
    return true;
  }

  @Override
  public boolean has(BlockKey parent, BlockKey key) {
    if (!folder.has(parent, key) || writer.refuses(key) || !pace.pays()) {
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
      writer.touch(prefix);
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
    warnings.accept(
        "%s of the prefix cache is ignored: %s"
            .formatted(folder.file(prefix.parent(), prefix.key()), e.getMessage()));
    writer.refuse(prefix);
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
        writer.written(),
        read.get(),
        lost.get(),
        refused.get(),
        failed.get(),
        usage.evictions());
  }

  /** Writes what was taken, at least for as long as {@link #waitForBuffers} allows, and ends. */
  @Override
  public void close() {
    var patience = buffers.patience();
    var late = writer.end(patience.compareTo(LEAST_PATIENCE) < 0 ? LEAST_PATIENCE : patience);
    if (late > 0) {
      warnings.accept("%d blocks of the prefix cache were not written in time".formatted(late));
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
