package dev.vllmmlx.mlx.array;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * An immutable MLX array: a shape, an element type, and data that exists once it was evaluated.
 *
 * <p>It belongs to a {@link Scope} and is freed with it; any later use throws {@link
 * IllegalStateException}, as does any use on another thread than its owner. {@link Mlx} has the
 * functions.
 */
public final class Array {

  private static final int MOST_DIMENSIONS = 30;

  private final Owner owner;
  private long handle;
  private Scope scope;
  private int slot;
  private DType dtype;
  private int[] shape;

  Array(Owner owner, long handle) {
    this.owner = owner;
    this.handle = handle;
  }

  /** A copy of the shape; empty for a scalar. */
  public int[] shape() {
    describe();
    return shape.clone();
  }

  /**
   * The length of an axis.
   *
   * @param axis counted from the end where negative
   */
  public int dim(int axis) {
    describe();
    return shape[axis < 0 ? axis + shape.length : axis];
  }

  /** The number of axes. */
  public int rank() {
    describe();
    return shape.length;
  }

  /** The number of elements. */
  public long size() {
    describe();
    var size = 1L;
    for (var dim : shape) {
      size *= dim;
    }
    return size;
  }

  /** Bytes of its data, packed. */
  public long bytes() {
    return size() * dtype().bytes();
  }

  public DType dtype() {
    describe();
    return dtype;
  }

  /** Evaluates and copies the elements, row by row, as floats. */
  public float[] toFloats() {
    try (var ignored = Mlx.scope()) {
      return Mlx.astype(this, DType.FLOAT32).view().toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  /** Evaluates and copies the elements, row by row, as ints; floats are cut towards zero. */
  public int[] toInts() {
    try (var ignored = Mlx.scope()) {
      return Mlx.astype(this, DType.INT32).view().toArray(ValueLayout.JAVA_INT);
    }
  }

  /** Evaluates and copies the elements, row by row, as longs. */
  public long[] toLongs() {
    try (var ignored = Mlx.scope()) {
      return Mlx.astype(this, DType.INT64).view().toArray(ValueLayout.JAVA_LONG);
    }
  }

  /** Evaluates and gives the only element. */
  public float item() {
    requireOneElement();
    return toFloats()[0];
  }

  /** Evaluates and gives the only element. */
  public int itemInt() {
    requireOneElement();
    return toInts()[0];
  }

  /**
   * Evaluates and copies the elements, in their own type and row by row, to the start of a segment.
   */
  public void copyTo(MemorySegment target) {
    try (var ignored = Mlx.scope()) {
      MemorySegment.copy(view(), 0, target, 0, bytes());
    }
  }

  /**
   * Evaluates and gives the elements, in their own type and row by row, without a copy where they
   * lie so.
   *
   * @return read-only, of {@link #bytes()} bytes; the owner thread may read it until the innermost
   *     scope of this moment closes or the array is freed by hand
   */
  public MemorySegment view() {
    owner.check();
    var plain = Mlx.share(this); // lives with the innermost scope, as the view does
    var address = size() == 0 ? 0 : Native.address(plain.handle);
    if (address == 0 && size() != 0) {
      plain = Mlx.contiguous(this);
      address = Native.address(plain.handle);
    }
    return MemorySegment.ofAddress(address)
        .reinterpret(bytes(), plain.scope.views(), null)
        .asReadOnly();
  }

  /** Makes it live as long as the scope around its own. */
  public Array escape() {
    if (scope == null || scope.parent() == null) {
      throw new IllegalStateException("the array's scope has none around it, or is closed");
    }
    return scope.parent().keep(this);
  }

  /** Frees it before its scope does. */
  public void free() {
    owner.check(); // before the owner's own memory is touched
    var cell = owner.room(8);
    cell.set(ValueLayout.JAVA_LONG, 0, owner.use(this));
    scope.remove(this);
    release();
    Native.free(cell.address(), 1);
  }

  @Override
  public String toString() {
    return handle == 0
        ? "Array[freed]"
        : shape == null ? "Array" : "Array" + Arrays.toString(shape) + dtype;
  }

  private void requireOneElement() {
    if (size() != 1) {
      throw new IllegalStateException("the array has %d elements, not one".formatted(size()));
    }
  }

  private void describe() {
    owner.check();
    if (shape == null) {
      var out = owner.room(4 * (2 + MOST_DIMENSIONS));
      Native.run(Native.DESCRIBE, handle(), out.address(), MOST_DIMENSIONS);
      dtype = DType.ofCode(out.getAtIndex(ValueLayout.JAVA_INT, 0));
      var dims = new int[out.getAtIndex(ValueLayout.JAVA_INT, 1)];
      for (var i = 0; i < dims.length; i++) {
        dims[i] = out.getAtIndex(ValueLayout.JAVA_INT, 2 + i);
      }
      shape = dims;
    } else {
      handle();
    }
  }

  Owner owner() {
    return owner;
  }

  long handle() {
    if (handle == 0) {
      throw new IllegalStateException("the array was freed with its scope");
    }
    return handle;
  }

  Scope scope() {
    return scope;
  }

  int slot() {
    return slot;
  }

  void belongTo(Scope newScope, int newSlot) {
    scope = newScope;
    slot = newSlot;
  }

  /** Forgets the handle, which the caller frees. */
  long release() {
    var released = handle;
    handle = 0;
    scope = null;
    return released;
  }
}
