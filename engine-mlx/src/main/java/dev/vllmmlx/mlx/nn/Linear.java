package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.LayerOps;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * {@code y = x W^T + b}.
 *
 * @param weight {@code [outputs, inputs]}, dense or packed
 * @param bias {@code [outputs]}
 */
public record Linear(Matrix weight, Optional<Array> bias) {

  /** {@code [rows, inputs] -> [rows, outputs]}. */
  public Array apply(Array x) {
    return LayerOps.products(x, Optional.empty(), List.of(op()))[0];
  }

  /** {@code more + y}: {@code [rows, inputs] -> [rows, outputs]}. */
  public Array addTo(Array more, Array x) {
    return LayerOps.productPlus(x, op(), more);
  }

  /** Several of the same rows: what is normed and read once. */
  public static Array[] applyAll(Array x, Optional<RmsNorm> norm, Linear... all) {
    var ops = new ArrayList<LayerOps.Weight>(all.length);
    for (var each : all) {
      ops.add(each.op());
    }
    return LayerOps.products(x, norm.map(RmsNorm::op), ops);
  }

  LayerOps.Weight op() {
    return weight.op(bias);
  }
}
