package dev.vllmmlx.mlx.cache;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.LayerOps;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.nn.AttentionShape;
import dev.vllmmlx.mlx.nn.ForwardPass;
import dev.vllmmlx.mlx.nn.Rope;
import dev.vllmmlx.mlx.nn.SharedPlaces;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** The next rows of one sequence: consecutive positions over a contiguous cache. */
final class ContiguousPass implements ForwardPass {

  private final List<LayerCache> layers;
  private final int start;
  private final int rows;
  private final SharedPlaces places;

  ContiguousPass(List<LayerCache> layers, int start, int rows) {
    this.layers = layers;
    this.start = start;
    this.rows = rows;
    var positions = Mlx.array(IntStream.range(start, start + rows).toArray(), rows);
    this.places = new SharedPlaces(new LayerOps.RowPlaces(start, positions, null, null, null));
  }

  @Override
  public Optional<LayerOps.LayerMemory> memory(int layer, Rope rope) {
    return Optional.of(reserved(layer).memory(places.of(rope)));
  }

  @Override
  public Array attend(int layer, Array queries, Array keys, Array values, AttentionShape shape) {
    return reserved(layer).attend(queries, keys, values, places.of(shape.rope()), shape.plan());
  }

  private LayerCache reserved(int layer) {
    var cache = layers.get(layer);
    cache.reserve(start, start + rows);
    return cache;
  }
}
