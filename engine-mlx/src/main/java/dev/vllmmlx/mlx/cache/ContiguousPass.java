package dev.vllmmlx.mlx.cache;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.LayerOps;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.Scope;
import dev.vllmmlx.mlx.nn.AttentionShape;
import dev.vllmmlx.mlx.nn.ForwardPass;
import dev.vllmmlx.mlx.nn.Rope;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The next rows of one sequence: consecutive positions over a contiguous cache. */
final class ContiguousPass implements ForwardPass {

  private final List<LayerCache> layers;
  private final int start;
  private final int rows;

  /** Owns what layers share: a model frees the rest of a layer when the next one begins. */
  private final Scope shared = Mlx.innermostScope();

  /** Of the rows; made with the first layer. */
  private Array positions;

  /** Layers that rotate alike share the angles. */
  private final Map<Rope, LayerOps.RowPlaces> places = new IdentityHashMap<>();

  ContiguousPass(List<LayerCache> layers, int start, int rows) {
    this.layers = layers;
    this.start = start;
    this.rows = rows;
  }

  @Override
  public Array attend(int layer, Array queries, Array keys, Array values, AttentionShape shape) {
    var cache = layers.get(layer);
    cache.reserve(start, start + rows);
    return cache.attend(
        queries, keys, values, places.computeIfAbsent(shape.rope(), this::places), shape.plan());
  }

  private LayerOps.RowPlaces places(Rope rope) {
    if (positions == null) {
      positions = shared.keep(Mlx.array(IntStream.range(start, start + rows).toArray(), rows));
    }
    var angles = LayerOps.ropeAngles(positions, rope.rotation());
    return new LayerOps.RowPlaces(
        start, positions, null, null, angles == null ? null : shared.keep(angles));
  }
}
