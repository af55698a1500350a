package dev.vllmmlx.text.grammar;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Makes matchers from constraints, for one model. What was compiled is kept and copied, so that the
 * second request with a schema costs next to nothing.
 *
 * <p>For any number of threads. Compiling happens on platform threads of its own: a call into
 * native code would pin a virtual thread, and the native compiler wants a deep stack. It cannot be
 * interrupted: what takes too long is given up on and ends by itself, held by the other limits.
 */
public final class ConstraintCompiler implements AutoCloseable {
  private final TokenBytes vocabulary;
  private final ForcedTokens tokenization;
  private final CompileLimits limits;
  private final long handle;
  private final CompileThreads threads;
  private final Map<Constraint, CompileThreads.Task<Compiled>> cache =
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
    this.threads = new CompileThreads(limits.time());
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
    CompileThreads.Task<Compiled> task;
    synchronized (cache) {
      task = cache.get(constraint);
    }
    return (task == null ? start(constraint, source(constraint)) : task).await();
  }

  /**
   * What the native compiler is given. What is too large is refused here, before it takes a place.
   */
  private NativeSource source(Constraint constraint) {
    if (constraint instanceof Constraint.JsonSchema json) {
      checkLength(json.schema());
    }
    var source = GrammarWriter.write(constraint, vocabulary);
    checkLength(source.data());
    return source;
  }

  private CompileThreads.Task<Compiled> start(Constraint constraint, NativeSource source) {
    synchronized (cache) {
      if (closed) {
        throw new IllegalStateException("the compiler is closed");
      }
      var task = cache.get(constraint);
      if (task == null) {
        running++;
        task = threads.start(() -> translate(constraint, source), done -> settle(constraint, done));
        cache.put(constraint, task);
      }
      return task;
    }
  }

  private void settle(Constraint constraint, CompileThreads.Task<Compiled> task) {
    synchronized (cache) {
      running--;
      var compiled = task.done();
      if (compiled == null) {
        cache.remove(constraint);
      } else if (closed) {
        compiled.free();
      } else {
        makeRoom();
      }
      freeVocabularyIfDone();
    }
  }

  private Compiled translate(Constraint constraint, NativeSource source) {
    var schema = rootSchema(constraint);
    var keywords = new SchemaKeywords(schema);
    long compiled;
    try {
      compiled = compileNatively(source);
    } catch (Native.Failure failure) {
      compiled =
          NativeFailures.isOfOneOf(failure) ? compileWithExclusiveOptions(constraint, schema) : 0;
      if (compiled == 0) {
        throw NativeFailures.of(failure, keywords);
      }
    }
    try {
      tryOut(compiled);
      return new Compiled(compiled, keywords.ignored(Native.warnings(compiled)));
    } catch (Throwable failure) {
      Native.free(compiled);
      throw failure;
    }
  }

  private long compileNatively(NativeSource source) {
    return Native.compile(handle, source.tag(), source.data(), limits.toNative());
  }

  /** A second try; 0 where that fails, too. */
  private long compileWithExclusiveOptions(Constraint constraint, JsonNode schema) {
    if (!(constraint instanceof Constraint.JsonSchema(var _, var strict, var whitespace)
        && schema instanceof ObjectNode object)) {
      return 0;
    }
    var rewritten = ExclusiveOptions.rewritten(object);
    if (rewritten.isEmpty()) {
      return 0;
    }
    var other = new Constraint.JsonSchema(rewritten.get().toString(), strict, whitespace);
    try {
      return compileNatively(GrammarWriter.write(other, vocabulary));
    } catch (Native.Failure | ConstraintException.TooLarge e) {
      return 0;
    }
  }

  private void checkLength(String source) {
    if (source.length() > limits.sourceChars()) {
      throw new ConstraintException.TooLarge(
          "the constraint is %d characters long, and %d are allowed"
              .formatted(source.length(), limits.sourceChars()));
    }
  }

  /**
   * Makes the first mask, which shows what can never begin, and copies find it made; and goes
   * through the text that is forced at the beginning, on a copy.
   */
  private void tryOut(long compiled) {
    var words = (vocabulary.size() + 31) / 32;
    var copy = 0L;
    try (var arena = Arena.ofConfined()) {
      var out = arena.allocate(ValueLayout.JAVA_INT, words);
      Native.mask(compiled, out.address(), words);
      copy = Native.copy(compiled);
      Native.forced(copy, out.address(), out.byteSize());
    } catch (Native.Failure failure) {
      throw NativeFailures.ofFirstStep(failure);
    } finally {
      if (copy != 0) {
        Native.free(copy);
      }
    }
  }

  private static JsonNode rootSchema(Constraint constraint) {
    return constraint instanceof Constraint.JsonSchema(var schema, var strict, var _)
        ? JsonSchemaSource.parse(schema, strict).schema()
        : MissingNode.getInstance();
  }

  /** Those used longest ago go first. */
  private void makeRoom() {
    var entries = cache.values().iterator();
    while (cache.size() > limits.cached() && entries.hasNext()) {
      var compiled = entries.next().done();
      if (compiled != null) {
        compiled.free();
        entries.remove();
      }
    }
  }

  private void freeVocabularyIfDone() {
    if (closed && running == 0) {
      Native.freeVocabulary(handle);
    }
  }

  /** Frees everything but matchers, which stay usable and are closed by their owners. */
  @Override
  public void close() {
    synchronized (cache) {
      if (closed) {
        return;
      }
      closed = true;
      for (var task : cache.values()) {
        var compiled = task.done();
        if (compiled != null) {
          compiled.free();
        }
      }
      cache.clear();
      freeVocabularyIfDone();
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
