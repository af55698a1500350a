package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.cache.disk.BlockMemory;
import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Mlx;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Supplier;

/**
 * The bytes of a pool's blocks, one array's after another's.
 *
 * @param planes the arrays of this moment, whose first axis is the block's
 */
record PoolBytes(Supplier<List<Array>> planes) implements BlockMemory {

  @Override
  public int blockBytes() {
    return Math.toIntExact(planes.get().stream().mapToLong(PoolBytes::bytes).sum());
  }

  @Override
  public void copyOut(int block, ByteBuffer into) {
    for (var plane : planes.get()) {
      Mlx.copyOut(plane, block, next(plane, into));
    }
  }

  @Override
  public void copyIn(int block, ByteBuffer from) {
    for (var plane : planes.get()) {
      Mlx.copyIn(plane, block, next(plane, from));
    }
  }

  /** The buffer's next bytes, of a block in that array; it moves on behind them. */
  private static MemorySegment next(Array plane, ByteBuffer buffer) {
    var segment = MemorySegment.ofBuffer(buffer).asSlice(0, bytes(plane));
    buffer.position(buffer.position() + (int) bytes(plane));
    return segment;
  }

  private static long bytes(Array plane) {
    return plane.bytes() / plane.dim(0);
  }
}
