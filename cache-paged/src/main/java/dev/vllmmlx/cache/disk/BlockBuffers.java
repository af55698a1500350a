package dev.vllmmlx.cache.disk;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Native buffers of a block each. Some are there from the beginning, more are made as they are
 * asked for, up to some number or to where there is no memory for another. One thread takes, any
 * thread gives back.
 */
final class BlockBuffers implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final BlockingQueue<ByteBuffer> free = new LinkedBlockingQueue<>();
  private final Function<Arena, ByteBuffer> room;
  private final Consumer<String> warnings;

  /** That may be made still. */
  private int unmade;

  /** By {@link System#nanoTime}, till when {@link #take} waits for one. */
  private long patientUntil = System.nanoTime();

  /**
   * @param least that are made at once
   * @param room makes a buffer; may throw OutOfMemoryError
   * @throws OutOfMemoryError if there is no memory for the least
   */
  BlockBuffers(int least, int most, Function<Arena, ByteBuffer> room, Consumer<String> warnings) {
    this.room = room;
    this.warnings = warnings;
    this.unmade = most - least;
    try {
      for (var i = 0; i < least; i++) {
        free.add(room.apply(arena));
      }
    } catch (OutOfMemoryError e) {
      arena.close();
      throw e;
    }
  }

  /** A buffer for the caller alone; empty if all are in use. */
  Optional<ByteBuffer> take() {
    var buffer = free.poll();
    if (buffer == null && unmade > 0) {
      buffer = another();
    }
    if (buffer == null && patient()) {
      try {
        buffer = free.poll(patientUntil - System.nanoTime(), TimeUnit.NANOSECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    return Optional.ofNullable(buffer);
  }

  /**
   * Null if there is no memory for it; that is tried once, since it takes the JVM half a second.
   */
  private ByteBuffer another() {
    unmade--;
    try {
      return room.apply(arena);
    } catch (OutOfMemoryError e) {
      unmade = 0;
      warnings.accept("the prefix cache gets no memory for more buffers: " + e.getMessage());
      return null;
    }
  }

  void giveBack(ByteBuffer buffer) {
    free.add(buffer);
  }

  /** Whether {@link #take} waits. */
  boolean patient() {
    return patience().isPositive();
  }

  /** How much longer {@link #take} waits; negative if it does not. */
  Duration patience() {
    return Duration.ofNanos(patientUntil - System.nanoTime());
  }

  /** From now on for so long {@link #take} waits for a buffer. */
  void waitFor(Duration longest) {
    patientUntil = System.nanoTime() + longest.toNanos();
  }

  /** Frees them, also those in use. */
  @Override
  public void close() {
    arena.close();
  }
}
