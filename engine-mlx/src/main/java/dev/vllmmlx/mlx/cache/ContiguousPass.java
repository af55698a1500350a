package dev.vllmmlx.mlx.cache;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.LayerOps;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.nn.AttentionShape;
import dev.vllmmlx.mlx.nn.ForwardPass;
import dev.vllmmlx.mlx.nn.SharedPlaces;
import java.util.List;
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
  public Array attend(int layer, Array queries, Array keys, Array values, AttentionShape shape) {
    var cache = layers.get(layer);
    cache.reserve(start, start + rows);
    return cache.attend(queries, keys, values, places.of(shape.rope()), shape.plan());
  }
}
