package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.engine.MlxGauges;
import dev.vllmmlx.mlx.load.LoadedModel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** An MLX model over a {@link KvMemory}. */
final class LoadedBatchModel implements BatchModel {
  private final LoadedModel loaded;
  private final KvMemory memory;
  private final int contextLength;

  private LoadedBatchModel(LoadedModel loaded, KvMemory memory, int contextLength) {
    this.loaded = loaded;
    this.memory = memory;
    this.contextLength = contextLength;
  }

  /**
   * Lays out the memory for keys and values.
   *
   * @throws dev.vllmmlx.spi.EngineException.InvalidRequest if the budget is too small, or the
   *     folder for blocks cannot be used
   */
  static LoadedBatchModel of(
      Checkpoint checkpoint, LoadedModel loaded, int contextLength, BatchedSettings settings) {
    var layers = loaded.kvLayers();
    var budget = KvBudget.of(layers, contextLength, settings);
    var memory =
        settings.paged()
            ? PagedMemory.of(checkpoint, layers, settings, budget)
            : new ContiguousMemory(layers, budget);
    return new LoadedBatchModel(loaded, memory, Math.min(contextLength, memory.capacity()));
  }

  @Override
  public int contextLength() {
    return contextLength;
  }

  @Override
  public int vocabularySize() {
    return loaded.config().vocabularySize();
  }

  @Override
  public KvMemory memory() {
    return memory;
  }

  @Override
  public void step(List<Chunk> chunks, float[][] logits) {
    var ids = chunks.stream().flatMapToInt(chunk -> IntStream.of(chunk.tokens())).toArray();
    try (var _ = Mlx.scope()) {
      var hidden = loaded.model().hidden(Mlx.array(ids, ids.length), memory.pass(chunks));
      var ends = ends(chunks);
      if (ends.length == 0) {
        memory.evaluate();
        return;
      }
      var rows = ends.length == ids.length ? hidden : Mlx.take(hidden, indices(ends), 0);
      var scores = Mlx.astype(loaded.model().logits(rows), DType.FLOAT32).view();
      var size = (long) vocabularySize() * Float.BYTES;
      for (var i = 0; i < ends.length; i++) {
        MemorySegment.copy(
            scores, ValueLayout.JAVA_FLOAT, i * size, logits[i], 0, vocabularySize());
      }
    }
  }

  /** The rows that a next token is chosen after. */
  private static int[] ends(List<Chunk> chunks) {
    var ends = IntStream.builder();
    var row = 0;
    for (var chunk : chunks) {
      row += chunk.tokens().length;
      if (chunk.last()) {
        ends.add(row - 1);
      }
    }
    return ends.build().toArray();
  }

  private static Array indices(int[] rows) {
    return Mlx.array(rows, rows.length);
  }

  @Override
  public void rest() {
    Mlx.clearCache();
  }

  @Override
  public Map<String, Double> gauges() {
    return MlxGauges.of(loaded);
  }

  @Override
  public void close() {
    memory.close();
    loaded.close();
  }
}
