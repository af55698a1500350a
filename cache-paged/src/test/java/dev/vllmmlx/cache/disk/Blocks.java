package dev.vllmmlx.cache.disk;

import dev.vllmmlx.cache.BlockKey;
import dev.vllmmlx.cache.Lineage;
import dev.vllmmlx.cache.Prefix;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.stream.IntStream;

/** A pool of bytes, and prefixes for it. */
final class Blocks implements BlockMemory {
  static final int SIZE = 4;
  static final int BYTES = 256;
  private static final Lineage LINEAGE = new Lineage("model", "", "tenant");
  private final byte[][] pool;
  private int copiesOut;

  Blocks(int count) {
    pool = new byte[count][BYTES];
    for (var block = 0; block < count; block++) {
      new Random(block).nextBytes(pool[block]);
    }
  }

  byte[] of(int block) {
    return pool[block];
  }

  int copiesOut() {
    return copiesOut;
  }

  @Override
  public int blockBytes() {
    return BYTES;
  }

  @Override
  public void copyOut(int block, ByteBuffer into) {
    copiesOut++;
    into.put(pool[block]);
  }

  @Override
  public void copyIn(int block, ByteBuffer from) {
    from.get(pool[block]);
  }

  /** The {@code at}-th block, from 0, of a chain. */
  static Prefix prefix(int chain, int at) {
    return prefix(LINEAGE, chain, at);
  }

  static Prefix prefix(Lineage lineage, int chain, int at) {
    return new Prefix(
        lineage,
        new BlockKey(chain, at),
        new BlockKey(chain, at + 1),
        IntStream.range(0, SIZE * (at + 1) + 3).map(i -> chain * 1_000 + i).toArray(),
        SIZE * (at + 1));
  }
}
