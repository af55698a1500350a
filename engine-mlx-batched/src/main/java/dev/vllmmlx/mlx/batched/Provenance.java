package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.cache.disk.BlockMemory;
import dev.vllmmlx.cache.disk.DiskStore;
import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.CpuPrimitives;
import dev.vllmmlx.mlx.engine.OptionReader;
import dev.vllmmlx.mlx.load.CheckpointIdentity;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where keys and values come from, so that those in a folder which others may share are taken by
 * none but who would compute the same bits: the same weights, by the same kernels, kept alike.
 */
record Provenance(Checkpoint checkpoint, BatchedSettings.Disk disk) {
  private static final Logger LOG = LoggerFactory.getLogger(Provenance.class);

  /** Digests of weights, so that they are not read at each start. */
  private static final String DIGESTS = "digests.txt";

  /**
   * @param planes in which keys and values are kept
   * @throws dev.vllmmlx.spi.EngineException.InvalidRequest if the folder cannot be used
   */
  String identity(List<Array> planes) {
    try {
      DiskStore.makeFolder(disk.folder());
      return "%s; by %s; as %s"
          .formatted(
              CheckpointIdentity.of(checkpoint, disk.folder().resolve(DIGESTS)),
              CpuPrimitives.computedBy(),
              planes.stream().map(Provenance::layout).collect(Collectors.joining(",")));
    } catch (IOException e) {
      throw unusable(e);
    }
  }

  /** The type of a block's part, and its shape. */
  private static String layout(Array plane) {
    var shape = plane.shape();
    return plane.dtype() + Arrays.toString(Arrays.copyOfRange(shape, 1, shape.length));
  }

  /**
   * @throws dev.vllmmlx.spi.EngineException.InvalidRequest if the folder cannot be used
   */
  DiskStore open(int blockSize, BlockMemory memory) {
    try {
      return new DiskStore(disk.folder(), disk.bytes(), blockSize, memory, LOG::warn);
    } catch (IllegalArgumentException e) {
      throw OptionReader.wrong("cache-dir-size", "is too small: " + e.getMessage());
    } catch (IOException e) {
      throw unusable(e);
    }
  }

  private RuntimeException unusable(IOException e) {
    return OptionReader.wrong("cache-dir", "cannot be used: " + e);
  }
}
