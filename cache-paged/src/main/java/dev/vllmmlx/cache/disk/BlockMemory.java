package dev.vllmmlx.cache.disk;

import java.nio.ByteBuffer;

/** The pool's memory: the keys and values of each block, in all layers. On the engine's thread. */
public interface BlockMemory {

  /** Bytes of a block, the same for each. */
  int blockBytes();

  /**
   * Copies a block's bytes out of the pool.
   *
   * @param into direct, with {@link #blockBytes} bytes left
   */
  void copyOut(int block, ByteBuffer into);

  /**
   * Copies bytes over a block of the pool.
   *
   * @param from direct, with {@link #blockBytes} bytes left
   */
  void copyIn(int block, ByteBuffer from);
}
