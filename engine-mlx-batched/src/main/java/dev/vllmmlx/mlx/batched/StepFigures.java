package dev.vllmmlx.mlx.batched;

import java.util.HashMap;
import java.util.Map;

/** What the engine's thread counts, for other threads to read. */
final class StepFigures {

  /** Over which the rate of tokens is taken. */
  private static final long WINDOW_NANOS = 2_000_000_000L;

  private volatile Map<String, Double> published = Map.of();
  private long steps;
  private long prefilled;
  private long decoded;
  private long windowStart = System.nanoTime();
  private long windowTokens;
  private double tokensPerSecond;

  /** A step has computed tokens of answers and of prompts. */
  void stepped(int decodedTokens, int prefilledTokens) {
    steps++;
    decoded += decodedTokens;
    prefilled += prefilledTokens;
    windowTokens += decodedTokens;
  }

  /** Makes the figures of now visible. */
  void publish(Map<String, Double> memory, long preemptions) {
    var now = System.nanoTime();
    if (now - windowStart >= WINDOW_NANOS) {
      tokensPerSecond = windowTokens * 1e9 / (now - windowStart);
      windowStart = now;
      windowTokens = 0;
    }
    var figures = new HashMap<>(memory);
    figures.put("steps_total", (double) steps);
    figures.put("prefill_tokens_total", (double) prefilled);
    figures.put("decode_tokens_total", (double) decoded);
    figures.put("preemptions_total", (double) preemptions);
    figures.put("tokens_per_second", tokensPerSecond);
    published = figures;
  }

  /** What was published last, and more; any thread. */
  Map<String, Double> with(Map<String, Double> more) {
    var all = new HashMap<>(published);
    all.putAll(more);
    return all;
  }
}
