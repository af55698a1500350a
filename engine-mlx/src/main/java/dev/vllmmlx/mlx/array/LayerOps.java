package dev.vllmmlx.mlx.array;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;

/**
 * The few large operations that a transformer's layer is made of. Each is one primitive of this
 * project's own on a CPU, and a handful of MLX's ops elsewhere.
 *
 * <p>All of it on the owner's thread. Results are lazy and belong to the innermost scope. Shapes
 * that do not fit are an {@link MlxException}.
 */
public final class LayerOps {

  private LayerOps() {}

  /**
   * A matrix of weights as it is stored.
   *
   * @param w {@code [outputs, inputs]}, or packed, {@code [outputs, inputs * bits / 32]} uint32
   * @param scales {@code [outputs, inputs / group]}; null where dense
   * @param biases like the scales
   * @param bias {@code [outputs]}, added to products; null for none
   * @param group 0 where dense
   * @param bits 0 where dense
   */
  public record Weight(Array w, Array scales, Array biases, Array bias, int group, int bits) {

    static final long BYTES = 48;

    void write(Owner o, MemorySegment to, long at) {
      to.set(ValueLayout.JAVA_LONG, at, o.use(w));
      to.set(ValueLayout.JAVA_LONG, at + 8, o.useOrNull(scales));
      to.set(ValueLayout.JAVA_LONG, at + 16, o.useOrNull(biases));
      to.set(ValueLayout.JAVA_LONG, at + 24, o.useOrNull(bias));
      to.set(ValueLayout.JAVA_LONG, at + 32, group);
      to.set(ValueLayout.JAVA_LONG, at + 40, bits);
    }
  }

  /** RMS norm: {@code x / sqrt(mean(x^2) + eps) * weight} over the last axis. */
  public record Norm(Array weight, float eps) {}

  /** What becomes of products. The order is the shim's. */
  enum Finish {
    NONE,
    ADD,
    SWIGLU,
    GEGLU;

    static Finish gate(Activation activation) {
      return activation == Activation.SILU ? SWIGLU : GEGLU;
    }
  }

  /**
   * {@code norm(x) W^T + bias} for each of some weights.
   *
   * @param x {@code [rows, inputs]}
   * @return {@code [rows, outputs]} for each weight
   */
  public static Array[] products(Array x, Optional<Norm> norm, List<Weight> weights) {
    return product(x, norm, weights, Finish.NONE, null);
  }

  /** {@code x W^T + bias + added}. */
  public static Array productPlus(Array x, Weight weight, Array added) {
    return product(x, Optional.empty(), List.of(weight), Finish.ADD, added)[0];
  }

  /** {@code activation(norm(x) G^T) * (norm(x) U^T)}. */
  public static Array gate(
      Activation activation, Array x, Optional<Norm> norm, Weight gate, Weight up) {
    return product(x, norm, List.of(gate, up), Finish.gate(activation), null)[0];
  }

  /**
   * Products with matrices that are chosen row by row, for mixtures of experts.
   *
   * @param x {@code [n, inputs]}
   * @param rows {@code [pairs]} int32: which row of x
   * @param experts {@code [pairs]} int32: which matrix it meets
   * @param weights {@code [experts, outputs, inputs]}, or packed along its last axis; its bias
   *     {@code [experts, outputs]}
   * @return {@code [pairs, outputs]}
   */
  public static Array expertProduct(Array x, Array rows, Array experts, Weight weights) {
    var o = Owner.current();
    var room = o.room(Weight.BYTES);
    weights.write(o, room, 0);
    return o.own(
        Native.make(Native.EXPERT_PRODUCT, o.use(x), o.use(rows), o.use(experts), room.address()));
  }

  private static Array[] product(
      Array x, Optional<Norm> norm, List<Weight> weights, Finish finish, Array added) {
    var o = Owner.current();
    var results = finish == Finish.NONE ? weights.size() : 1;
    var room = o.room(40 + Weight.BYTES * weights.size() + 8L * results);
    room.set(ValueLayout.JAVA_LONG, 0, o.use(x));
    room.set(ValueLayout.JAVA_LONG, 8, norm.isPresent() ? o.use(norm.get().weight()) : 0);
    room.set(ValueLayout.JAVA_LONG, 16, o.useOrNull(added));
    room.set(ValueLayout.JAVA_INT, 24, weights.size());
    room.set(ValueLayout.JAVA_INT, 28, finish.ordinal());
    room.set(ValueLayout.JAVA_FLOAT, 32, norm.isPresent() ? norm.get().eps() : 0);
    var at = 40L;
    for (var weight : weights) {
      weight.write(o, room, at);
      at += Weight.BYTES;
    }
    Native.run(Native.PRODUCT, room.address(), room.address() + 40, room.address() + at);
    var arrays = new Array[results];
    for (var i = 0; i < results; i++) {
      arrays[i] = o.own(room.get(ValueLayout.JAVA_LONG, at + 8L * i));
    }
    return arrays;
  }

  /**
   * Rows of a matrix, unpacked where it is packed.
   *
   * @param indices {@code [n]} int32
   * @param type of the result; nothing is rounded on the way to it
   * @return {@code [n, inputs]}
   */
  public static Array embedding(Array indices, Weight matrix, DType type) {
    var o = Owner.current();
    var room = o.room(Weight.BYTES);
    matrix.write(o, room, 0);
    return o.own(Native.make(Native.EMBEDDING, o.use(indices), room.address(), type.ordinal()));
  }

  /**
   * How heads turn with their position.
   *
   * @param dims of a head, how many are rotated; the rest stay
   * @param traditional neighbours {@code (2i, 2i + 1)} make a pair; else {@code (i, i + dims/2)} do
   * @param theta the base of the wavelengths where there are none
   * @param scale by which positions are multiplied
   * @param wavelengths {@code [dims / 2]} float32; null for the plain ones of {@code theta}
   * @param magnitude by which vectors are multiplied
   */
  public record Rotation(
      int dims,
      boolean traditional,
      float theta,
      float scale,
      Array wavelengths,
      float magnitude) {}

  /**
   * The cosines and sines by which rows are rotated, for {@link #cachedAttention}: computed once
   * for all layers.
   *
   * @param positions {@code [rows]} int32
   * @return {@code [rows, dims]} float32, or null where this device's rotation computes them itself
   */
  public static Array ropeAngles(Array positions, Rotation rotation) {
    var o = Owner.current();
    if (!Native.primitivesWanted()) {
      return null;
    }
    return o.own(
        Native.make(
            Native.ROPE_ANGLES,
            o.use(positions),
            rotation.dims(),
            rotation.traditional() ? 1 : 0,
            rotation.theta(),
            rotation.scale(),
            o.useOrNull(rotation.wavelengths())));
  }

  /**
   * The shape of a layer's attention.
   *
   * @param window tokens that a row sees, its own included; 0 for all
   * @param queryNorm null where queries are not normed
   * @param keyNorm null where keys are not normed
   */
  public record AttentionPlan(
      int heads,
      int kvHeads,
      int headDim,
      float scale,
      int window,
      Rotation rotation,
      Norm queryNorm,
      Norm keyNorm) {

    static final long BYTES = 72;

    void write(Owner o, MemorySegment to, long at) {
      writeNorm(o, queryNorm, to, at, at + 64);
      writeNorm(o, keyNorm, to, at + 8, at + 68);
      to.set(ValueLayout.JAVA_LONG, at + 16, o.useOrNull(rotation.wavelengths()));
      to.set(ValueLayout.JAVA_INT, at + 24, heads);
      to.set(ValueLayout.JAVA_INT, at + 28, kvHeads);
      to.set(ValueLayout.JAVA_INT, at + 32, headDim);
      to.set(ValueLayout.JAVA_INT, at + 36, window);
      to.set(ValueLayout.JAVA_INT, at + 40, rotation.dims());
      to.set(ValueLayout.JAVA_INT, at + 44, rotation.traditional() ? 1 : 0);
      to.set(ValueLayout.JAVA_FLOAT, at + 48, scale);
      to.set(ValueLayout.JAVA_FLOAT, at + 52, rotation.magnitude());
      to.set(ValueLayout.JAVA_FLOAT, at + 56, rotation.theta());
      to.set(ValueLayout.JAVA_FLOAT, at + 60, rotation.scale());
    }

    private static void writeNorm(Owner o, Norm norm, MemorySegment to, long at, long epsAt) {
      to.set(ValueLayout.JAVA_LONG, at, norm == null ? 0 : o.use(norm.weight()));
      to.set(ValueLayout.JAVA_FLOAT, epsAt, norm == null ? 0 : norm.eps());
    }
  }

  /**
   * Where rows stand.
   *
   * @param start the position of the first row, where the rows are one sequence's
   * @param positions {@code [rows]} int32
   * @param sequences {@code [rows]} int32, which row of {@code tables} is whose; null for one
   *     sequence in one block
   * @param tables {@code [sequences, blocks]} int32; null for one sequence in one block
   * @param angles of {@link #ropeAngles}, or null
   */
  public record RowPlaces(
      int start, Array positions, Array sequences, Array tables, Array angles) {}

  /**
   * One memory of a layer's keys and values that all rows go to, with room for them.
   *
   * @param keys {@code [blocks, kvHeads, block size, headDim]}; or int8, {@code headDim + 4} long:
   *     then a row is rounded to 255 steps and followed by its own float32 scale, so that its bytes
   *     depend on itself alone
   * @param values like keys
   */
  public record LayerMemory(Array keys, Array values, RowPlaces places) {

    static final long BYTES = 48;

    void write(Owner o, MemorySegment to, long at) {
      to.set(ValueLayout.JAVA_LONG, at, o.use(keys));
      to.set(ValueLayout.JAVA_LONG, at + 8, o.use(values));
      to.set(ValueLayout.JAVA_LONG, at + 16, o.use(places.positions()));
      to.set(ValueLayout.JAVA_LONG, at + 24, o.useOrNull(places.sequences()));
      to.set(ValueLayout.JAVA_LONG, at + 32, o.useOrNull(places.tables()));
      to.set(ValueLayout.JAVA_LONG, at + 40, o.useOrNull(places.angles()));
    }
  }

  /**
   * What attention gave, and the memory of keys and values after it, in the place of the former.
   */
  public record Attended(Array mixed, Array keys, Array values) {}

  private static final long ATTENTION_BYTES =
      3 * 8 + LayerMemory.BYTES + AttentionPlan.BYTES + 2 * 4;

  /**
   * Norms and rotates queries and keys, writes keys and values to memory, and attends: a row sees
   * what its sequence has in memory up to its own position.
   *
   * <p>On a CPU the memory is written IN PLACE when the result is computed, so what is given is to
   * be used no more: what comes back takes its place.
   *
   * @param queries {@code [rows, heads * headDim]}, as projected
   * @param keys {@code [rows, kvHeads * headDim]}
   * @param values like keys
   */
  public static Attended cachedAttention(
      Array queries, Array keys, Array values, LayerMemory memory, AttentionPlan plan) {
    var o = Owner.current();
    var rows = queries.dim(0); // before the arguments: it may use the same room
    var room = o.room(ATTENTION_BYTES + 24);
    room.set(ValueLayout.JAVA_LONG, 0, o.use(queries));
    room.set(ValueLayout.JAVA_LONG, 8, o.use(keys));
    room.set(ValueLayout.JAVA_LONG, 16, o.use(values));
    memory.write(o, room, 24);
    plan.write(o, room, 24 + LayerMemory.BYTES);
    room.set(ValueLayout.JAVA_INT, ATTENTION_BYTES - 8, memory.places().start());
    room.set(ValueLayout.JAVA_INT, ATTENTION_BYTES - 4, rows);
    Native.run(Native.CACHED_ATTENTION, room.address(), room.address() + ATTENTION_BYTES);
    return new Attended(
        o.own(room.get(ValueLayout.JAVA_LONG, ATTENTION_BYTES)),
        o.own(room.get(ValueLayout.JAVA_LONG, ATTENTION_BYTES + 8)),
        o.own(room.get(ValueLayout.JAVA_LONG, ATTENTION_BYTES + 16)));
  }
}
