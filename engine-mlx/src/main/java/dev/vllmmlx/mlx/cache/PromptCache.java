package dev.vllmmlx.mlx.cache;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * States of sequences that ended, for the next turn of their chats. A few of them, so that chats do
 * not push each other out, the one longest unused going first; within a budget of bytes; and each
 * tenant's apart, so that nobody learns by the clock what another asked. For the engine's own
 * thread.
 *
 * @param <S> what is kept of a sequence
 */
public final class PromptCache<S extends SequenceState<S>> implements AutoCloseable {

  private record Entry<S>(String tenant, int[] tokens, S state) {

    int commonPrefix(int[] prompt) {
      var most = Math.min(tokens.length, prompt.length);
      var length = 0;
      while (length < most && tokens[length] == prompt[length]) {
        length++;
      }
      return length;
    }
  }

  /** The last used at the end. */
  private final List<Entry<S>> entries = new ArrayList<>();

  private final int maxEntries;
  private final long maxBytes;

  public PromptCache(int maxEntries, long maxBytes) {
    this.maxEntries = maxEntries;
    this.maxBytes = maxBytes;
  }

  /**
   * A state after the longest beginning of the prompt that is at hand, but for the last token at
   * least, which has to be computed. The caller owns it.
   */
  public Optional<S> take(String tenant, int[] prompt) {
    Entry<S> best = null;
    var length = 0;
    for (var entry : entries) {
      var common = Math.min(entry.commonPrefix(prompt), prompt.length - 1);
      if (entry.tenant().equals(tenant) && common > length) {
        best = entry;
        length = common;
      }
    }
    if (best == null) {
      return Optional.empty();
    }
    entries.remove(best);
    if (length >= best.tokens().length / 2) {
      best.state().rewind(length);
      return Optional.of(best.state());
    }
    // Mostly another chat, which shares its beginning: that one stays.
    entries.add(best);
    return Optional.of(best.state().fork(length));
  }

  /**
   * Keeps a state.
   *
   * @param tokens what it has seen
   */
  public void put(String tenant, int[] tokens, S state) {
    removeCoveredBy(tenant, tokens);
    entries.add(new Entry<>(tenant, tokens, state));
    while (!entries.isEmpty() && (entries.size() > maxEntries || bytes() > maxBytes)) {
      evict();
    }
  }

  /** What a longer sequence begins with is of no use beside it. */
  private void removeCoveredBy(String tenant, int[] tokens) {
    for (var entry : List.copyOf(entries)) {
      if (entry.tenant().equals(tenant) && entry.commonPrefix(tokens) == entry.tokens().length) {
        entries.remove(entry);
        entry.state().close();
      }
    }
  }

  /** Tokens that it holds. */
  public int tokens() {
    return entries.stream().mapToInt(entry -> entry.tokens().length).sum();
  }

  /** Memory that it takes. */
  public long bytes() {
    return entries.stream().mapToLong(entry -> entry.state().bytes()).sum();
  }

  /** Frees the one longest unused; false if there is none. */
  public boolean evict() {
    if (entries.isEmpty()) {
      return false;
    }
    entries.removeFirst().state().close();
    return true;
  }

  @Override
  public void close() {
    entries.forEach(entry -> entry.state().close());
    entries.clear();
  }
}
