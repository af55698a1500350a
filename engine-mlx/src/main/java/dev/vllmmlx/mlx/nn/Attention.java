package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Mlx;
import java.util.Optional;

/**
 * Self-attention with grouped heads, rotary positions and, in some families, normed queries and
 * keys.
 */
public record Attention(
    Linear queries,
    Linear keys,
    Linear values,
    Linear output,
    Optional<RmsNorm> queryNorm,
    Optional<RmsNorm> keyNorm,
    Rope rope,
    int heads,
    int kvHeads,
    int headDim,
    AttentionShape shape) {

  /** {@code [rows, size] -> [rows, size]}. */
  public Array apply(int layer, Array x, ForwardPass pass) {
    var rows = x.dim(0);
    var q = perHead(queries.apply(x), rows, heads, queryNorm);
    var k = perHead(keys.apply(x), rows, kvHeads, keyNorm);
    var v = Mlx.reshape(values.apply(x), rows, kvHeads, headDim);
    var mixed = pass.attend(layer, pass.rotate(rope, q), pass.rotate(rope, k), v, shape);
    return output.apply(Mlx.reshape(mixed, rows, heads * headDim));
  }

  private Array perHead(Array x, int rows, int count, Optional<RmsNorm> norm) {
    var heads = Mlx.reshape(x, rows, count, headDim);
    return norm.isPresent() ? norm.get().apply(heads) : heads;
  }
}
