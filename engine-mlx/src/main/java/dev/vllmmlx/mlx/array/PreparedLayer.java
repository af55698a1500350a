package dev.vllmmlx.mlx.array;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * A whole layer of a transformer as one operation, for few rows on a CPU: what {@link LayerOps}
 * gives step by step, bit for bit, without the cost of each step. On the owner's thread, for as
 * long as its weights live.
 */
public final class PreparedLayer {

  /**
   * What a layer is made of.
   *
   * @param output {@code [size, heads * headDim]}
   * @param down {@code [size, inner]}
   */
  public record Parts(
      LayerOps.Norm attentionNorm,
      LayerOps.Weight queries,
      LayerOps.Weight keys,
      LayerOps.Weight values,
      LayerOps.Weight output,
      LayerOps.AttentionPlan attention,
      LayerOps.Norm feedForwardNorm,
      LayerOps.Weight gate,
      LayerOps.Weight up,
      LayerOps.Weight down,
      Activation activation) {}

  private static final long BYTES =
      7 * LayerOps.Weight.BYTES + LayerOps.AttentionPlan.BYTES + 2 * 8 + 2 * 4 + 4 + 4;

  /** What the shim reads, written once: handles stay the same as long as their arrays live. */
  private final MemorySegment argument = Arena.ofAuto().allocate(BYTES, 8);

  /** Asked before each use: the weights of a model are freed together. */
  private final Array one;

  public PreparedLayer(Parts parts) {
    var o = Owner.current();
    one = parts.attentionNorm().weight();
    var at = 0L;
    for (var weight :
        new LayerOps.Weight[] {
          parts.queries(),
          parts.keys(),
          parts.values(),
          parts.output(),
          parts.gate(),
          parts.up(),
          parts.down()
        }) {
      weight.write(o, argument, at);
      at += LayerOps.Weight.BYTES;
    }
    parts.attention().write(o, argument, at);
    at += LayerOps.AttentionPlan.BYTES;
    argument.set(ValueLayout.JAVA_LONG, at, o.use(parts.attentionNorm().weight()));
    argument.set(ValueLayout.JAVA_LONG, at + 8, o.use(parts.feedForwardNorm().weight()));
    argument.set(ValueLayout.JAVA_FLOAT, at + 16, parts.attentionNorm().eps());
    argument.set(ValueLayout.JAVA_FLOAT, at + 20, parts.feedForwardNorm().eps());
    argument.set(ValueLayout.JAVA_INT, at + 24, LayerOps.Finish.gate(parts.activation()).ordinal());
  }

  /**
   * What the layer makes of some rows; their keys and values are in the memory then, which stays
   * the same array.
   *
   * @param x {@code [rows, size]}
   * @return {@code [rows, size]}, computed; or empty, and nothing is written, where the layer has
   *     to be taken step by step: off the CPU, for many rows, or where something is not computed
   *     yet
   */
  public Optional<Array> apply(Array x, LayerOps.LayerMemory memory) {
    var o = Owner.current();
    o.use(one);
    var room = o.room(LayerOps.LayerMemory.BYTES);
    memory.write(o, room, 0);
    var result = Native.layer(o.use(x), argument.address(), room.address());
    return result == 0 ? Optional.empty() : Optional.of(o.own(result));
  }
}
