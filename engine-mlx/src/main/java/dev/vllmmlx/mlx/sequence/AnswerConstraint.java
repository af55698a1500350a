package dev.vllmmlx.mlx.sequence;

import dev.vllmmlx.mlx.sample.LogitsProcessor;
import dev.vllmmlx.mlx.sample.TokenHistory;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.text.grammar.ConstraintException;
import dev.vllmmlx.text.grammar.ConstraintMatcher;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * Keeps an answer to its constraint: excludes tokens that must not follow, and knows how far the
 * answer has come. On one thread at a time, but for {@link #close}, which a request that ends while
 * it waits needs on any.
 */
public final class AnswerConstraint implements LogitsProcessor, AutoCloseable {
  private final ConstraintMatcher matcher;
  private final int[] noEnds;
  private long[] mask = {};
  private boolean closed;

  /**
   * @param matcher at the start of the answer; closed with this
   * @param noEnds ids that are no end of this answer, though the model's own end may be one
   */
  public AnswerConstraint(ConstraintMatcher matcher, int... noEnds) {
    this.matcher = matcher;
    this.noEnds = noEnds.clone();
  }

  @Override
  public void process(float[] logits, TokenHistory history) {
    var words = (logits.length + Long.SIZE - 1) / Long.SIZE;
    if (mask.length < words) {
      mask = new long[words];
    }
    var bits = mask;
    going(
        () -> {
          matcher.mask(bits);
          return true;
        });
    for (var id : noEnds) {
      mask[id / Long.SIZE] &= ~(1L << id);
    }
    for (var word = 0; word < words; word++) {
      var from = word * Long.SIZE;
      if (mask[word] == 0) {
        Arrays.fill(
            logits, from, Math.min(from + Long.SIZE, logits.length), Float.NEGATIVE_INFINITY);
      } else if (mask[word] != -1) {
        exclude(logits, from, mask[word]);
      }
    }
  }

  private static void exclude(float[] logits, int from, long allowed) {
    var end = Math.min(from + Long.SIZE, logits.length);
    for (var id = from; id < end; id++) {
      if ((allowed >>> id & 1) == 0) {
        logits[id] = Float.NEGATIVE_INFINITY;
      }
    }
  }

  /** The answer goes on by a token that the mask has let through. */
  void accept(int token) {
    if (!going(() -> matcher.accept(token))) {
      throw new EngineException.Internal(
          "token %d does not fit the constraint that let it through".formatted(token), null);
    }
  }

  /** Whether nothing but an end may follow. */
  boolean isComplete() {
    return going(matcher::isComplete);
  }

  /** Tokens that must follow. */
  int[] forced() {
    return going(matcher::forced);
  }

  /** A constraint that compiles may yet grow beyond its limits: then it asks too much. */
  private static <T> T going(Supplier<T> step) {
    try {
      return step.get();
    } catch (ConstraintException.Stuck e) {
      throw new EngineException.InvalidRequest(
          "constraint", "the constraint is too complex to be kept: " + e.getMessage());
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      matcher.close();
    }
  }
}
