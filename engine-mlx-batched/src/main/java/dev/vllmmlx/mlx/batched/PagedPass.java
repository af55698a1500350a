package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.cache.BlockTable;
import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.LayerOps;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.Scope;
import dev.vllmmlx.mlx.nn.AttentionShape;
import dev.vllmmlx.mlx.nn.ForwardPass;
import dev.vllmmlx.mlx.nn.Rope;
import dev.vllmmlx.mlx.nn.SharedPlaces;
import java.util.List;
import java.util.Optional;

/** Rows of many sequences over block tables: one operation attends for all of them. */
final class PagedPass implements ForwardPass {
  private final List<Array> keys;
  private final List<Array> values;
  private final Scope owned;
  private final SharedPlaces places;

  /**
   * @param tables of the chunks' sequences
   * @param keys of each layer; replaced as the pass goes
   * @param owned their owner
   */
  PagedPass(
      List<Chunk> chunks,
      List<BlockTable> tables,
      List<Array> keys,
      List<Array> values,
      Scope owned) {
    this.keys = keys;
    this.values = values;
    this.owned = owned;
    var rows = chunks.stream().mapToInt(chunk -> chunk.tokens().length).sum();
    var width = tables.stream().mapToInt(BlockTable::blockCount).max().orElseThrow();
    var at = new int[rows];
    var whose = new int[rows];
    var blocks = new int[chunks.size() * width];
    var row = 0;
    for (var i = 0; i < chunks.size(); i++) {
      var start = chunks.get(i).start();
      for (var j = 0; j < chunks.get(i).tokens().length; j++) {
        at[row] = start + j;
        whose[row++] = i;
      }
      tables.get(i).copyBlocks(blocks, i * width);
    }
    this.places =
        new SharedPlaces(
            new LayerOps.RowPlaces(
                0,
                Mlx.array(at, rows),
                Mlx.array(whose, rows),
                Mlx.array(blocks, chunks.size(), width),
                null));
  }

  @Override
  public Optional<LayerOps.LayerMemory> memory(int layer, Rope rope) {
    return Optional.of(memoryOf(layer, rope));
  }

  @Override
  public Array attend(
      int layer, Array queries, Array newKeys, Array newValues, AttentionShape shape) {
    var attended =
        LayerOps.cachedAttention(
            queries, newKeys, newValues, memoryOf(layer, shape.rope()), shape.plan());
    keys.set(layer, owned.replace(keys.get(layer), attended.keys()));
    values.set(layer, owned.replace(values.get(layer), attended.values()));
    return attended.mixed();
  }

  private LayerOps.LayerMemory memoryOf(int layer, Rope rope) {
    return new LayerOps.LayerMemory(keys.get(layer), values.get(layer), places.of(rope));
  }
}
