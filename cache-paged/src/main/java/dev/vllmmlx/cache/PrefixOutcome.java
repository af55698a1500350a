package dev.vllmmlx.cache;

/** What became of the tokens of a prompt when a cached prefix was sought for it. */
public enum PrefixOutcome {
  /** Reused from the pool. */
  CACHED(true),
  /** Reused, after the {@link BlockStore} had brought them back. */
  LOADED(true),
  /** To be computed: nothing like it is known. */
  UNSEEN(false),
  /** To be computed: they were known not long ago, and the pool had no room to keep them. */
  EVICTED(false),
  /** To be computed: other tokens have the same key. */
  COLLISION(false),
  /** To be computed: those after the last full block, and in any case a prompt's last token. */
  LAST(false),
  /** To be computed: the index is off. */
  OFF(false);

  private final boolean hit;

  PrefixOutcome(boolean hit) {
    this.hit = hit;
  }

  /** Whether such tokens need not be computed. */
  public boolean hit() {
    return hit;
  }
}
