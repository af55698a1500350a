package dev.vllmmlx.mlx.array;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Owns arrays and frees them when it closes, all in one native call.
 *
 * <p>{@link Mlx#scope()} opens one on the thread's stack of scopes: new arrays belong to the
 * innermost, and scopes close in the reverse order of their opening. {@link Mlx#detachedScope()}
 * opens one that stands beside the stack, for weights and caches: arrays enter it by {@link #keep}.
 * All methods: the owner thread only, else {@link IllegalStateException}.
 */
public final class Scope implements AutoCloseable {

  private final Owner owner;
  private final Scope parent;
  private final boolean stacked;
  private Array[] arrays = new Array[32];
  private int count;
  private boolean closed;

  /** Bounds the views of data that were taken in this scope; made by the first of them. */
  private Arena views;

  Scope(Owner owner, Scope parent, boolean stacked) {
    this.owner = owner;
    this.parent = parent;
    this.stacked = stacked;
  }

  /**
   * Makes an array live as long as this scope, instead of its own.
   *
   * @return the same array
   */
  public Array keep(Array array) {
    checkOpen();
    owner.use(array);
    array.scope().remove(array);
    add(array);
    return array;
  }

  /**
   * Keeps an array in the place of another, which is freed: a cache's next state.
   *
   * @param old null where there was none
   * @return the replacement
   */
  public Array replace(Array old, Array replacement) {
    keep(replacement);
    if (old != null && old != replacement) {
      old.free();
    }
    return replacement;
  }

  /** Gives all its arrays to another scope, which frees them from now on. */
  public void moveTo(Scope other) {
    checkOpen();
    other.checkOpen();
    while (count > 0) {
      var array = arrays[count - 1];
      remove(array);
      other.add(array);
    }
  }

  /** Arrays that it owns. */
  public int size() {
    return count;
  }

  /** Frees its arrays, any use of which throws from now on. Closing again does nothing. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    owner.check();
    if (stacked && !owner.isInnermost(this)) {
      throw new IllegalStateException("a scope that was opened later is still open");
    }
    closed = true;
    owner.closed(this);
    if (views != null) {
      views.close();
    }
    var handles = owner.room(8L * count);
    for (var i = 0; i < count; i++) {
      handles.setAtIndex(ValueLayout.JAVA_LONG, i, arrays[i].release());
    }
    Native.free(handles.address(), count);
    arrays = null;
    count = 0;
  }

  Scope parent() {
    return parent;
  }

  @SuppressWarnings("MustBeClosed") // closed with the scope
  Arena views() {
    if (views == null) {
      views = Arena.ofConfined();
    }
    return views;
  }

  void add(Array array) {
    if (count == arrays.length) {
      arrays = Arrays.copyOf(arrays, 2 * count);
    }
    arrays[count] = array;
    array.belongTo(this, count);
    count++;
  }

  /** The last array takes the place of the one that leaves. */
  void remove(Array array) {
    var last = arrays[--count];
    arrays[array.slot()] = last;
    last.belongTo(this, array.slot());
    arrays[count] = null;
  }

  private void checkOpen() {
    owner.check();
    if (closed) {
      throw new IllegalStateException("the scope is closed");
    }
  }
}
