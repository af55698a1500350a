package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.mlx.sequence.TinyTokenizer;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Scores that depend on every token seen and on nothing else: a state that remembers wrongly gives
 * another answer. Letters score highest, so that answers are text. What happens at a pass can be
 * set, to wait or to fail there.
 */
final class HashModel implements ModelRunner {
  final AtomicInteger liveStates = new AtomicInteger();
  final AtomicInteger passes = new AtomicInteger();
  final AtomicInteger computedTokens = new AtomicInteger();
  volatile Runnable atPass = () -> {};
  volatile Runnable atRest = () -> {};
  volatile boolean closed;

  @Override
  public ModelState newState() {
    return new State(new int[0]);
  }

  @Override
  public int contextLength() {
    return Integer.MAX_VALUE;
  }

  @Override
  public int vocabularySize() {
    return TinyTokenizer.SIZE;
  }

  @Override
  public Map<String, Double> gauges() {
    return Map.of("live_handles", (double) liveStates.get());
  }

  @Override
  public void rest() {
    atRest.run();
  }

  @Override
  public void close() {
    closed = true;
  }

  private final class State implements ModelState {
    private int[] tokens;
    private boolean open = true;

    State(int[] tokens) {
      this.tokens = tokens;
      liveStates.incrementAndGet();
    }

    @Override
    public int length() {
      return tokens.length;
    }

    @Override
    public void advance(int[] more) {
      atPass.run();
      passes.incrementAndGet();
      computedTokens.addAndGet(more.length);
      var before = tokens.length;
      tokens = Arrays.copyOf(tokens, before + more.length);
      System.arraycopy(more, 0, tokens, before, more.length);
    }

    @Override
    public void advance(int[] more, float[] logits) {
      advance(more);
      var random = new SplittableRandom(Arrays.hashCode(tokens));
      for (var id = 0; id < logits.length; id++) {
        var letter = id >= 'a' - '!' + 33 && id <= 'z' - '!' + 33;
        logits[id] = (float) random.nextDouble(3) + (letter ? 0 : -12);
      }
    }

    @Override
    public void rewind(int length) {
      tokens = Arrays.copyOf(tokens, length);
    }

    @Override
    public ModelState fork(int length) {
      return new State(Arrays.copyOf(tokens, length));
    }

    @Override
    public long bytes() {
      return tokens.length;
    }

    @Override
    public void close() {
      if (open) {
        open = false;
        liveStates.decrementAndGet();
      }
    }
  }
}
