package dev.vllmmlx.text.grammar;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;

/**
 * Makes matchers from constraints, for one model. What was compiled is kept and copied, so that the
 * second request with a schema costs next to nothing.
 *
 * <p>For any number of threads. Compiling happens on platform threads of its own: a call into
 * native code would pin a virtual thread, and the native compiler wants a deep stack. It cannot be
 * interrupted: what takes too long is given up on and ends by itself, held by the other limits.
 */
public final class ConstraintCompiler implements AutoCloseable {
  private static final long STACK_BYTES = 512L << 20; // of address space; pages come when touched

  private final TokenBytes vocabulary;
  private final ForcedTokens tokenization;
  private final CompileLimits limits;
  private final long handle;
  private final Semaphore slots =
      new Semaphore(Math.max(2, Runtime.getRuntime().availableProcessors()), true);
  private final Map<Constraint, CompletableFuture<Compiled>> cache =
      new LinkedHashMap<>(16, 0.75f, true);
  private int running;
  private boolean closed;

  private ConstraintCompiler(Tokenizer tokenizer, CompileLimits limits) {
    this.vocabulary = new TokenBytes(tokenizer);
    if (vocabulary.ends().length == 0) {
      throw new ConstraintException.Invalid(
          "the model's tokenizer names no token that ends a text: nothing could end under a constraint");
    }
    this.tokenization = new ForcedTokens(tokenizer, vocabulary);
    this.limits = limits;
    this.handle = vocabulary.toNative();
  }

  /** Takes some 0.1 to 0.5 s: make one for each model. */
  public static ConstraintCompiler of(Tokenizer tokenizer) {
    return of(tokenizer, CompileLimits.DEFAULT);
  }

  public static ConstraintCompiler of(Tokenizer tokenizer, CompileLimits limits) {
    return new ConstraintCompiler(tokenizer, limits);
  }

  /**
   * A matcher at the start of a text. The caller closes it. Blocks, for no longer than the limits'
   * time.
   *
   * @throws ConstraintException when the constraint cannot be kept
   */
  public ConstraintMatcher compile(Constraint constraint) {
    while (true) {
      var compiled = compiled(constraint);
      var copy = compiled.copy();
      if (copy != 0) {
        return new NativeMatcher(copy, tokenization, compiled.ignored());
      }
      // Thrown out of the cache in between.
    }
  }

  /** Native handles of all compilers and matchers that are not freed. For tests and metrics. */
  public static long liveHandles() {
    return Native.liveHandles();
  }

  private Compiled compiled(Constraint constraint) {
    CompletableFuture<Compiled> future;
    synchronized (cache) {
      if (closed) {
        throw new IllegalStateException("the compiler is closed");
      }
      future = cache.get(constraint);
      if (future == null) {
        future = start(constraint);
      }
    }
    try {
      return future.get(limits.time().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new ConstraintException.TooSlow(
          "the constraint takes longer than %d ms to compile".formatted(limits.time().toMillis()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ConstraintException.TooSlow("interrupted while the constraint was compiled");
    } catch (ExecutionException e) {
      throw switch (e.getCause()) {
        case RuntimeException cause -> cause;
        case Error cause -> throw cause;
        case Throwable cause -> throw new AssertionError(cause);
      };
    }
  }

  private CompletableFuture<Compiled> start(Constraint constraint) {
    var future = new CompletableFuture<Compiled>();
    cache.put(constraint, future);
    running++;
    Thread.ofPlatform()
        .daemon()
        .name("compile-constraint")
        .stackSize(STACK_BYTES)
        .start(() -> run(constraint, future));
    return future;
  }

  private void run(Constraint constraint, CompletableFuture<Compiled> future) {
    try {
      slots.acquireUninterruptibly();
      Compiled compiled;
      try {
        compiled = translate(constraint);
      } finally {
        slots.release();
      }
      keep(future, compiled);
    } catch (Throwable failure) {
      synchronized (cache) {
        cache.remove(constraint, future);
      }
      future.completeExceptionally(failure);
    } finally {
      synchronized (cache) {
        running--;
        freeVocabularyIfDone();
      }
    }
  }

  private Compiled translate(Constraint constraint) {
    var source = GrammarWriter.write(constraint, vocabulary);
    if (source.data().length() > limits.sourceChars()) {
      throw new ConstraintException.TooLarge(
          "the constraint is %d characters long, and %d are allowed"
              .formatted(source.data().length(), limits.sourceChars()));
    }
    var keywords = new SchemaKeywords(rootSchema(constraint));
    try {
      var compiled = Native.compile(handle, source.tag(), source.data(), limits.toNative());
      return new Compiled(compiled, keywords.ignored(Native.warnings(compiled)));
    } catch (Native.Failure failure) {
      throw NativeFailures.of(failure, keywords);
    }
  }

  private static JsonNode rootSchema(Constraint constraint) {
    return constraint instanceof Constraint.JsonSchema(var schema, var strict, var _)
        ? JsonSchemaSource.parse(schema, strict).schema()
        : MissingNode.getInstance();
  }

  /** Leaves room for those in use: the one used longest ago goes first. */
  private void keep(CompletableFuture<Compiled> future, Compiled compiled) {
    var old = new ArrayList<Compiled>();
    synchronized (cache) {
      future.complete(compiled);
      if (closed) {
        old.add(compiled);
      }
      var entries = cache.values().iterator();
      while (cache.size() > limits.cached() && entries.hasNext()) {
        var each = entries.next();
        if (each.isDone() && !each.isCompletedExceptionally()) {
          old.add(each.join());
          entries.remove();
        }
      }
    }
    old.forEach(Compiled::free);
  }

  private void freeVocabularyIfDone() {
    if (closed && running == 0) {
      Native.freeVocabulary(handle);
    }
  }

  /** Frees everything but matchers, which stay usable and are closed by their owners. */
  @Override
  public void close() {
    List<CompletableFuture<Compiled>> all;
    synchronized (cache) {
      if (closed) {
        return;
      }
      closed = true;
      all = List.copyOf(cache.values());
      cache.clear();
      freeVocabularyIfDone();
    }
    for (var each : all) {
      if (each.isDone() && !each.isCompletedExceptionally()) {
        each.join().free();
      }
    }
  }

  /** A constraint at the start of a text, from which matchers are copied. */
  private static final class Compiled {
    private final List<IgnoredKeyword> ignored;
    private long handle;

    Compiled(long handle, List<IgnoredKeyword> ignored) {
      this.handle = handle;
      this.ignored = ignored;
    }

    List<IgnoredKeyword> ignored() {
      return ignored;
    }

    /** A handle of its own, or 0 where this one is freed. */
    synchronized long copy() {
      return handle == 0 ? 0 : Native.copy(handle);
    }

    synchronized void free() {
      if (handle != 0) {
        Native.free(handle);
        handle = 0;
      }
    }
  }
}
