package dev.vllmmlx.cache;

/**
 * Name of a full block by what came before and what is in it: the first 128 bits of a SHA-256 over
 * the lineage, or the key of the block before, and the block's tokens. The same in every process.
 *
 * @param high the first 8 bytes, big-endian
 * @param low the next 8 bytes, big-endian
 */
public record BlockKey(long high, long low) {

  /** 32 hexadecimal digits. */
  @Override
  public String toString() {
    return "%016x%016x".formatted(high, low);
  }
}
