package dev.vllmmlx.mlx.parity;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.array.LayerOps;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.Scope;
import dev.vllmmlx.mlx.model.KvLayer;
import dev.vllmmlx.mlx.nn.AttentionShape;
import dev.vllmmlx.mlx.nn.ForwardPass;
import dev.vllmmlx.mlx.nn.Rope;
import dev.vllmmlx.mlx.nn.SharedPlaces;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Keys and values of many sequences in blocks, the plainest way: the caller says which are whose.
 */
final class BlockMemory implements AutoCloseable {
  private final Scope owned = Mlx.detachedScope();
  private final List<Array> keys = new ArrayList<>();
  private final List<Array> values = new ArrayList<>();

  BlockMemory(List<KvLayer> layers, int blocks, int blockSize, DType type) {
    for (var layer : layers) {
      keys.add(owned.keep(Mlx.zeros(type, blocks, layer.kvHeads(), blockSize, layer.headDim())));
      values.add(owned.keep(Mlx.zeros(type, blocks, layer.kvHeads(), blockSize, layer.headDim())));
    }
  }

  /** Rows of some sequences; those of one are neighbours. */
  ForwardPass pass(int[] positions, int[] sequences, int[][] tables) {
    var at = Mlx.array(positions, positions.length);
    var whose = Mlx.array(sequences, sequences.length);
    var flat = new int[tables.length * tables[0].length];
    for (var i = 0; i < tables.length; i++) {
      System.arraycopy(tables[i], 0, flat, i * tables[0].length, tables[0].length);
    }
    var table = Mlx.array(flat, tables.length, tables[0].length);
    return new Pass(new SharedPlaces(new LayerOps.RowPlaces(0, at, whose, table, null)));
  }

  private final class Pass implements ForwardPass {
    private final SharedPlaces places;

    Pass(SharedPlaces places) {
      this.places = places;
    }

    @Override
    public Optional<LayerOps.LayerMemory> memory(int layer, Rope rope) {
      return Optional.of(memoryOf(layer, rope));
    }

    @Override
    public Array attend(int layer, Array q, Array k, Array v, AttentionShape shape) {
      var attended = LayerOps.cachedAttention(q, k, v, memoryOf(layer, shape.rope()), shape.plan());
      keys.set(layer, owned.replace(keys.get(layer), attended.keys()));
      values.set(layer, owned.replace(values.get(layer), attended.values()));
      return attended.mixed();
    }

    private LayerOps.LayerMemory memoryOf(int layer, Rope rope) {
      return new LayerOps.LayerMemory(keys.get(layer), values.get(layer), places.of(rope));
    }
  }

  @Override
  public void close() {
    owned.close();
  }
}
