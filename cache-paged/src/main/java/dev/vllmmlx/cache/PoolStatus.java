package dev.vllmmlx.cache;

import java.util.Map;

/**
 * The pool at one moment; {@code total = used + cached + free}.
 *
 * @param total blocks of the pool
 * @param used blocks that sequences hold, each counted once
 * @param cached blocks that nobody holds and the prefix index keeps; they are evicted when room is
 *     needed
 * @param free blocks that hold nothing
 * @param evictions blocks evicted since the start
 * @param copies blocks copied on write since the start
 * @param promptTokens tokens since the start of the prompts that a prefix was sought for, by what
 *     became of them; every outcome is there
 */
public record PoolStatus(
    int total,
    int used,
    int cached,
    int free,
    long evictions,
    long copies,
    Map<PrefixOutcome, Long> promptTokens) {

  public PoolStatus {
    promptTokens = Map.copyOf(promptTokens);
  }

  /** Blocks that a sequence could get now: free ones, and cached ones after their eviction. */
  public int available() {
    return free + cached;
  }

  /** The part of all prompt tokens that was reused, 0 to 1; 0 before the first prompt. */
  public double hitRate() {
    var hits = 0L;
    var all = 0L;
    for (var entry : promptTokens.entrySet()) {
      all += entry.getValue();
      hits += entry.getKey().hit() ? entry.getValue() : 0;
    }
    return all == 0 ? 0 : (double) hits / all;
  }
}
