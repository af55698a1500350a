package dev.vllmmlx.text.grammar;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;

/**
 * The functions of the native library ({@code src/main/rust}), each bound once. Handles and
 * addresses are {@code long}s; 0 is none.
 */
final class Native {

  /** What a failing function says of itself. */
  static final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1;

    Failure(String message) {
      super(message);
    }
  }

  private static final Linker LINKER = Linker.nativeLinker();
  private static final SymbolLookup LIBRARY =
      SymbolLookup.libraryLookup(GrammarLibrary.locate(), Arena.global());

  private static final MemoryLayout P = JAVA_LONG; // a handle, an address or a size
  private static final MemoryLayout I = JAVA_INT;

  private static final MethodHandle LIVE_HANDLES = bind(P, "live_handles");
  private static final MethodHandle VOCABULARY = bind(P, "vocabulary", P, P, P, P, P, P, P);
  private static final MethodHandle FREE_VOCABULARY = bindVoid("free_vocabulary");
  private static final MethodHandle COMPILE = bind(P, "compile", P, P, P, P, P, P, P, P);
  private static final MethodHandle WARNINGS = bind(P, "warnings", P, P, P);
  private static final MethodHandle COPY = bind(P, "copy", P);
  private static final MethodHandle FREE = bindVoid("free");
  private static final MethodHandle ERROR = bind(P, "error", P, P, P);
  private static final MethodHandle MASK = bind(I, "mask", P, P, P);
  private static final MethodHandle ACCEPT = bind(I, "accept", P, P, P);
  private static final MethodHandle TRY = bind(I, "try", P, P, P);
  private static final MethodHandle ROLLBACK = bind(I, "rollback", P, P);
  private static final MethodHandle STATE = bind(I, "state", P);
  private static final MethodHandle FORCED = bind(P, "forced", P, P, P);

  private static final int MESSAGE_BYTES = 8192;

  private Native() {}

  private static MethodHandle bind(MemoryLayout result, String name, MemoryLayout... arguments) {
    return LINKER.downcallHandle(symbol(name), FunctionDescriptor.of(result, arguments));
  }

  private static MethodHandle bindVoid(String name) {
    return LINKER.downcallHandle(symbol(name), FunctionDescriptor.ofVoid(P));
  }

  private static MemorySegment symbol(String name) {
    return LIBRARY.findOrThrow("grammar_" + name);
  }

  /** Vocabularies and constraints that are not freed. */
  static long liveHandles() {
    try {
      return (long) LIVE_HANDLES.invokeExact();
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /**
   * A vocabulary.
   *
   * @param lens the length of each token, in bytes
   * @param bytes all tokens in a row
   */
  static long vocabulary(int[] lens, byte[] bytes, int[] ends) {
    try (var arena = Arena.ofConfined()) {
      var error = arena.allocate(MESSAGE_BYTES);
      return made(
          (long)
              VOCABULARY.invokeExact(
                  arena.allocateFrom(JAVA_INT, lens).address(),
                  (long) lens.length,
                  arena.allocateFrom(JAVA_BYTE, bytes).address(),
                  arena.allocateFrom(JAVA_INT, ends).address(),
                  (long) ends.length,
                  error.address(),
                  error.byteSize()),
          error);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void freeVocabulary(long vocabulary) {
    try {
      FREE_VOCABULARY.invokeExact(vocabulary);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** A constraint at its start; see {@code lib.rs} for tags and limits. */
  static long compile(long vocabulary, String tag, String data, long[] limits) {
    try (var arena = Arena.ofConfined()) {
      var error = arena.allocate(MESSAGE_BYTES);
      var tagBytes = tag.getBytes(StandardCharsets.UTF_8);
      var dataBytes = data.getBytes(StandardCharsets.UTF_8);
      return made(
          (long)
              COMPILE.invokeExact(
                  vocabulary,
                  arena.allocateFrom(JAVA_BYTE, tagBytes).address(),
                  (long) tagBytes.length,
                  arena.allocateFrom(JAVA_BYTE, dataBytes).address(),
                  (long) dataBytes.length,
                  arena.allocateFrom(JAVA_LONG, limits).address(),
                  error.address(),
                  error.byteSize()),
          error);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long copy(long constraint) {
    try {
      var copy = (long) COPY.invokeExact(constraint);
      if (copy == 0) {
        throw new Failure("the grammar cannot be copied");
      }
      return copy;
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void free(long constraint) {
    try {
      FREE.invokeExact(constraint);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static String warnings(long constraint) {
    return text(WARNINGS, constraint);
  }

  static String error(long constraint) {
    return text(ERROR, constraint);
  }

  /** Writes {@code words} ints of mask to {@code address}. */
  static void mask(long constraint, long address, long words) {
    try {
      check((int) MASK.invokeExact(constraint, address, words), constraint);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int accept(long constraint, long tokens, long count) {
    try {
      return check((int) ACCEPT.invokeExact(constraint, tokens, count), constraint);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int tryOut(long constraint, long tokens, long count) {
    try {
      return check((int) TRY.invokeExact(constraint, tokens, count), constraint);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void rollback(long constraint, long count) {
    try {
      check((int) ROLLBACK.invokeExact(constraint, count), constraint);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int state(long constraint) {
    try {
      return check((int) STATE.invokeExact(constraint), constraint);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** How many bytes are forced, of which as many as fit are written. */
  static int forced(long constraint, long address, long capacity) {
    try {
      return check((int) (long) FORCED.invokeExact(constraint, address, capacity), constraint);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  private static int check(int result, long constraint) {
    if (result < 0) {
      throw new Failure(error(constraint));
    }
    return result;
  }

  private static String text(MethodHandle of, long constraint) {
    try (var arena = Arena.ofConfined()) {
      var out = arena.allocate(MESSAGE_BYTES);
      var length = (long) of.invokeExact(constraint, out.address(), out.byteSize());
      return string(out, 0, Math.min(length, out.byteSize()));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  private static long made(long handle, MemorySegment error) {
    if (handle == 0) {
      throw new Failure(string(error, 4, error.get(JAVA_INT, 0)));
    }
    return handle;
  }

  private static String string(MemorySegment bytes, long offset, long length) {
    return new String(bytes.asSlice(offset, length).toArray(JAVA_BYTE), StandardCharsets.UTF_8);
  }

  private static RuntimeException unexpected(Throwable t) {
    return switch (t) {
      case RuntimeException e -> e;
      case Error e -> throw e;
      default -> throw new AssertionError(t);
    };
  }
}
