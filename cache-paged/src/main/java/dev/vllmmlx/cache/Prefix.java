package dev.vllmmlx.cache;

import java.util.Objects;

/**
 * A full block by everything that its keys and values depend on.
 *
 * @param lineage whose cache
 * @param parent key of the block before; of the lineage's root for the first
 * @param key of the block
 * @param tokens holds all tokens from position 0 to the block's last, and may hold more; not to be
 *     changed
 * @param length how many of them those are
 */
public record Prefix(Lineage lineage, BlockKey parent, BlockKey key, int[] tokens, int length) {
  public Prefix {
    Objects.requireNonNull(lineage, "lineage");
    Objects.requireNonNull(parent, "parent");
    Objects.requireNonNull(key, "key");
    Objects.checkFromIndexSize(0, length, tokens.length);
  }
}
