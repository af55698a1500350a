package dev.vllmmlx.mlx.array;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * What the one thread that may touch MLX has at hand: its scopes, and memory for the arguments of
 * calls.
 */
final class Owner implements AutoCloseable {

  /** A thread that owns arrays: how a function finds its owner without a lookup. */
  static final class OwnerThread extends Thread {
    private Owner owner;

    OwnerThread(String name, Runnable body) {
      super(null, body, name, 0, false);
      setDaemon(true);
    }
  }

  private static final int SCRATCH_BYTES = 64 * 1024;

  private final Arena arena = Arena.ofConfined();
  private final Set<Scope> detached = Collections.newSetFromMap(new IdentityHashMap<>());
  private MemorySegment scratch = arena.allocate(SCRATCH_BYTES, 16);
  private Scope innermost;

  /** Makes the calling thread an owner. */
  Owner(Device device) {
    if (!(Thread.currentThread() instanceof OwnerThread thread)) {
      throw new IllegalStateException("only an OwnerThread may own arrays");
    }
    if (System.getProperty(CpuPrimitives.PROPERTY, "true").equals("false")) {
      CpuPrimitives.enable(false);
    }
    Native.run(Native.USE_DEVICE, device == Device.GPU ? 1 : 0);
    thread.owner = this;
  }

  /** The owner that the calling thread is. */
  static Owner current() {
    if (Thread.currentThread() instanceof OwnerThread thread && thread.owner != null) {
      return thread.owner;
    }
    throw new IllegalStateException(
        "MLX belongs to its MlxThread and was called on %s: hand the work to MlxThread.submit"
            .formatted(Thread.currentThread()));
  }

  void check() {
    if (current() != this) {
      throw new IllegalStateException("the scope or array belongs to another MlxThread");
    }
  }

  // Scopes

  Scope open() {
    innermost = new Scope(this, innermost, true);
    return innermost;
  }

  Scope openDetached() {
    var scope = new Scope(this, null, false);
    detached.add(scope);
    return scope;
  }

  void closed(Scope scope) {
    if (scope == innermost) {
      innermost = scope.parent();
    } else {
      detached.remove(scope);
    }
  }

  Scope innermost() {
    if (innermost == null) {
      throw new IllegalStateException("no scope is open");
    }
    return innermost;
  }

  boolean isInnermost(Scope scope) {
    return scope == innermost;
  }

  /** A new array of the innermost scope. */
  Array own(long handle) {
    var array = new Array(this, handle);
    innermost.add(array);
    return array;
  }

  /** The handle of an operand. */
  long use(Array array) {
    if (array.owner() != this) {
      throw new IllegalStateException("the array belongs to another MlxThread");
    }
    return array.handle();
  }

  long useOrNull(Array array) {
    return array == null ? 0 : use(array);
  }

  // Arguments: the address of each is good until the next of these calls.

  long ints(int... values) {
    var to = room(4L * values.length);
    for (var i = 0; i < values.length; i++) {
      to.setAtIndex(ValueLayout.JAVA_INT, i, values[i]);
    }
    return to.address();
  }

  long handles(List<Array> arrays) {
    var to = room(8L * arrays.size());
    for (var i = 0; i < arrays.size(); i++) {
      to.setAtIndex(ValueLayout.JAVA_LONG, i, use(arrays.get(i)));
    }
    return to.address();
  }

  long handles(Array[] arrays) {
    return handles(List.of(arrays));
  }

  MemorySegment path(Path path) {
    return text(path.toAbsolutePath().toString());
  }

  MemorySegment text(String text) {
    var bytes = text.getBytes(StandardCharsets.UTF_8);
    var to = room(bytes.length + 1L);
    MemorySegment.copy(bytes, 0, to, ValueLayout.JAVA_BYTE, 0, bytes.length);
    to.set(ValueLayout.JAVA_BYTE, bytes.length, (byte) 0);
    return to;
  }

  /** Scratch memory of at least so many bytes. */
  MemorySegment room(long bytes) {
    if (bytes > scratch.byteSize()) {
      scratch = arena.allocate(Long.highestOneBit(bytes) * 2, 16);
    }
    return scratch;
  }

  /** Frees what is left and ends the thread's streams. */
  @Override
  public void close() {
    while (innermost != null) {
      innermost.close();
    }
    List.copyOf(detached).forEach(Scope::close);
    Native.run(Native.LEAVE_THREAD);
    arena.close();
  }
}
