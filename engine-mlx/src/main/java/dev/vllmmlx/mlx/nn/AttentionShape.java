package dev.vllmmlx.mlx.nn;

import dev.vllmmlx.mlx.array.LayerOps;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How a layer attends, with grouped heads and rotary positions.
 *
 * @param scale by which scores are multiplied before the softmax
 * @param window tokens that a row looks back over, its own included; empty for all
 * @param queryNorm of each head, before it is rotated; empty in most families
 * @param keyNorm like that of queries
 */
public record AttentionShape(
    int heads,
    int kvHeads,
    int headDim,
    float scale,
    OptionalInt window,
    Rope rope,
    Optional<RmsNorm> queryNorm,
    Optional<RmsNorm> keyNorm) {

  /** What the operation takes. */
  public LayerOps.AttentionPlan plan() {
    return new LayerOps.AttentionPlan(
        heads,
        kvHeads,
        headDim,
        scale,
        window.orElse(0),
        rope.rotation(),
        queryNorm.map(RmsNorm::op).orElse(null),
        keyNorm.map(RmsNorm::op).orElse(null));
  }
}
