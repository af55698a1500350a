package dev.vllmmlx.text.grammar;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/** A matcher of the native library, which holds the tokens accepted so far for {@link #forced}. */
final class NativeMatcher implements ConstraintMatcher {
  private static final long FORCED_BYTES = 1024;
  private static final int[] NONE = {};

  private final ForcedTokens tokenization;
  private final List<IgnoredKeyword> ignored;

  /** The collector's to free: closing a shared arena stops every thread. */
  private final MemorySegment scratch;

  private final int words;
  private long handle;
  private int[] accepted;
  private int count;

  /** What {@link #forced} found at this place; null where it was not asked. */
  private int[] forced;

  /**
   * @param handle is freed with this matcher
   */
  NativeMatcher(long handle, ForcedTokens tokenization, List<IgnoredKeyword> ignored) {
    this(handle, tokenization, ignored, new int[64], 0);
  }

  private NativeMatcher(
      long handle,
      ForcedTokens tokenization,
      List<IgnoredKeyword> ignored,
      int[] accepted,
      int count) {
    this.handle = handle;
    this.tokenization = tokenization;
    this.ignored = ignored;
    this.accepted = accepted;
    this.count = count;
    this.words = (tokenization.vocabulary().size() + 31) / 32;
    this.scratch = Arena.ofAuto().allocate(Math.max(FORCED_BYTES, words * 4L + 4), 8);
  }

  @Override
  public void mask(MemorySegment bits) {
    var room = bits.byteSize() / 4;
    if (room < words || !bits.isNative()) {
      throw new IllegalArgumentException(
          "a mask takes %d off-heap ints, not %d".formatted(words, room));
    }
    try {
      Native.mask(open(), bits.address(), room);
    } catch (Native.Failure e) {
      throw stuck(e);
    }
  }

  @Override
  public void mask(long[] bits) {
    var longs = (words + 1) / 2;
    if (bits.length < longs) {
      throw new IllegalArgumentException(
          "a mask takes %d longs, not %d".formatted(longs, bits.length));
    }
    mask(scratch.asSlice(0, longs * 8L));
    MemorySegment.copy(scratch, JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN), 0, bits, 0, longs);
    Arrays.fill(bits, longs, bits.length, 0);
  }

  @Override
  public boolean accept(int token) {
    return accept(new int[] {token}) == 1;
  }

  @Override
  public int accept(int[] tokens) {
    var taken = 0;
    var room = (int) (scratch.byteSize() / 4);
    while (taken < tokens.length) {
      var chunk = Math.min(room, knownFrom(tokens, taken));
      if (chunk == 0) {
        break;
      }
      MemorySegment.copy(tokens, taken, scratch, JAVA_INT, 0, chunk);
      int fitting;
      try {
        fitting = Native.accept(open(), scratch.address(), chunk);
      } catch (Native.Failure e) {
        throw stuck(e);
      }
      remember(tokens, taken, fitting);
      taken += fitting;
      if (fitting < chunk) {
        break;
      }
    }
    return taken;
  }

  /** How many tokens from {@code from} on are in the vocabulary. */
  private int knownFrom(int[] tokens, int from) {
    var to = from;
    while (to < tokens.length && tokens[to] >= 0 && tokens[to] < tokenization.vocabulary().size()) {
      to++;
    }
    return to - from;
  }

  private void remember(int[] tokens, int from, int many) {
    if (many > 0) {
      forced = null;
      if (count + many > accepted.length) {
        accepted = Arrays.copyOf(accepted, Math.max(count + many, 2 * accepted.length));
      }
      System.arraycopy(tokens, from, accepted, count, many);
      count += many;
    }
  }

  @Override
  public boolean isAccepting() {
    return state() >= 1;
  }

  @Override
  public boolean isComplete() {
    return state() == 2;
  }

  private int state() {
    try {
      return Native.state(open());
    } catch (Native.Failure e) {
      throw stuck(e);
    }
  }

  @Override
  public int[] forced() {
    if (forced == null) {
      forced = findForced();
    }
    return forced.clone();
  }

  private int[] findForced() {
    try {
      var length = Native.forced(open(), scratch.address(), scratch.byteSize());
      if (length == 0) {
        return NONE;
      }
      var bytes = scratch.asSlice(0, Math.min(length, scratch.byteSize())).toArray(JAVA_BYTE);
      return tokenization.tokens(accepted, count, bytes);
    } catch (Native.Failure e) {
      throw stuck(e);
    }
  }

  @Override
  public void rollback(int tokens) {
    if (tokens < 0 || tokens > count) {
      throw new IllegalArgumentException(
          "%d tokens cannot be taken back of %d".formatted(tokens, count));
    }
    try {
      Native.rollback(open(), tokens);
    } catch (Native.Failure e) {
      throw stuck(e);
    }
    count -= tokens;
    forced = null;
  }

  @Override
  public ConstraintMatcher copy() {
    return new NativeMatcher(Native.copy(open()), tokenization, ignored, accepted.clone(), count);
  }

  @Override
  public List<IgnoredKeyword> ignored() {
    return ignored;
  }

  private long open() {
    if (handle == 0) {
      throw new IllegalStateException("the matcher is closed");
    }
    return handle;
  }

  private static ConstraintException stuck(Native.Failure failure) {
    return new ConstraintException.Stuck(
        "the text cannot go on under its constraint: " + NativeFailures.firstLine(failure));
  }

  @Override
  public void close() {
    if (handle != 0) {
      Native.free(handle);
      handle = 0;
    }
  }
}
