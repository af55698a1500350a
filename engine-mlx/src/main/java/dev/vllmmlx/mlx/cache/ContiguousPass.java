package dev.vllmmlx.mlx.cache;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.nn.AttentionShape;
import dev.vllmmlx.mlx.nn.ForwardPass;
import dev.vllmmlx.mlx.nn.Rope;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** The next rows of one sequence: consecutive positions over a contiguous cache. */
final class ContiguousPass implements ForwardPass {

  private final List<LayerCache> layers;
  private final int start;
  private final int rows;

  /** By window: layers that slide alike share a mask. */
  private final Map<Integer, Array> masks = new HashMap<>();

  ContiguousPass(List<LayerCache> layers, int start, int rows) {
    this.layers = layers;
    this.start = start;
    this.rows = rows;
  }

  @Override
  public Array rotate(Rope rope, Array x) {
    return rowsFirst(rope.apply(headsFirst(x), start));
  }

  @Override
  public Array attend(int layer, Array queries, Array keys, Array values, AttentionShape shape) {
    var cache = layers.get(layer);
    cache.write(start, headsFirst(keys), headsFirst(values));
    var first = firstSeen(shape.window());
    var end = start + rows;
    var k = cache.keys(first, end);
    var v = cache.values(first, end);
    return rowsFirst(attend(headsFirst(queries), k, v, first, shape));
  }

  private Array attend(Array q, Array k, Array v, int first, AttentionShape shape) {
    if (rows == 1) {
      return Mlx.attention(q, k, v, shape.scale());
    }
    if (shape.window().isEmpty() || start + rows <= shape.window().getAsInt()) {
      return Mlx.causalAttention(q, k, v, shape.scale());
    }
    var window = shape.window().getAsInt();
    var mask = masks.computeIfAbsent(window, w -> mask(first, w));
    return Mlx.maskedAttention(q, k, v, shape.scale(), mask);
  }

  /** The earliest token that the first row sees. */
  private int firstSeen(OptionalInt window) {
    return window.isPresent() ? Math.max(0, start + 1 - window.getAsInt()) : 0;
  }

  /** {@code [rows, seen]}: true where the row sees the token. */
  private Array mask(int first, int window) {
    var seen = start + rows - first;
    var mask = new boolean[rows * seen];
    for (var row = 0; row < rows; row++) {
      var position = start + row;
      for (var token = Math.max(first, position + 1 - window); token <= position; token++) {
        mask[row * seen + token - first] = true;
      }
    }
    return Mlx.array(mask, rows, seen);
  }

  /** {@code [rows, heads, dims] -> [1, heads, rows, dims]}, as MLX's ops want it: a view. */
  private static Array headsFirst(Array x) {
    return Mlx.transpose(Mlx.reshape(x, 1, x.dim(0), x.dim(1), x.dim(2)), 0, 2, 1, 3);
  }

  private static Array rowsFirst(Array x) {
    return Mlx.reshape(Mlx.transpose(x, 0, 2, 1, 3), x.dim(2), x.dim(1), x.dim(3));
  }
}
