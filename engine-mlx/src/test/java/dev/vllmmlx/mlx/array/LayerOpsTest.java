package dev.vllmmlx.mlx.array;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Fused operations: the same as their parts by MLX's own ops, on every instruction set. */
class LayerOpsTest {
  private static MlxThread mlx;

  @BeforeAll
  static void start() {
    mlx = MlxThread.start("mlx", Device.CPU);
  }

  @AfterEach
  void asBefore() {
    CpuPrimitives.chooseKernels("auto");
    CpuPrimitives.enable(true);
  }

  @AfterAll
  static void stop() {
    mlx.close();
    assertThat(MemoryStatus.now().liveHandles()).isZero();
  }

  static List<String> kernels() {
    return CpuPrimitivesTest.kernels();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void multipliesWithSeveralWeightsOfAnyFormAtOnce(String kernels) {
    mlx.call(
        () -> {
          CpuPrimitives.chooseKernels(kernels);
          for (var rows : new int[] {1, 3, 7, 70}) {
            var x = random(1, rows, 96);
            var norm = Optional.of(new LayerOps.Norm(random(2, 96), 1e-5f));
            var weights =
                List.of(
                    packed(3, 40, 4, 32, true),
                    dense(4, 21, DType.BFLOAT16, false),
                    packed(5, 33, 8, 32, false),
                    packed(6, 5, 3, 32, false),
                    dense(7, 9, DType.FLOAT32, true));
            var ours = LayerOps.products(x, norm, weights);
            Mlx.eval(ours);
            CpuPrimitives.enable(false);
            var theirs = LayerOps.products(x, norm, weights);
            Mlx.eval(theirs);
            CpuPrimitives.enable(true);
            for (var i = 0; i < ours.length; i++) {
              close(ours[i], theirs[i]);
            }
          }
          return null;
        });
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void gatesAndAdds(String kernels) {
    mlx.call(
        () -> {
          CpuPrimitives.chooseKernels(kernels);
          for (var rows : new int[] {1, 2, 9, 65}) {
            var x = random(11, rows, 96);
            var norm = Optional.of(new LayerOps.Norm(random(12, 96), 1e-5f));
            var gate = packed(13, 50, 4, 32, false);
            var up = packed(14, 50, 6, 32, false);
            var down = dense(15, 96, DType.FLOAT16, true);
            var more = random(16, rows, 96);
            var ours = LayerOps.productPlus(x, down, more);
            var swiglu = LayerOps.gate(Activation.SILU, x, norm, gate, up);
            var geglu = LayerOps.gate(Activation.GELU, x, norm, gate, up);
            Mlx.eval(ours, swiglu, geglu);
            CpuPrimitives.enable(false);
            close(ours, LayerOps.productPlus(x, down, more));
            close(swiglu, LayerOps.gate(Activation.SILU, x, norm, gate, up));
            close(geglu, LayerOps.gate(Activation.GELU, x, norm, gate, up));
            CpuPrimitives.enable(true);
          }
          return null;
        });
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void multipliesEachRowWithItsExpert(String kernels) {
    mlx.call(
        () -> {
          CpuPrimitives.chooseKernels(kernels);
          var x = random(51, 80, 96);
          var rows = IntStream.range(0, 160).map(i -> i / 2).toArray();
          var experts = IntStream.range(0, 160).map(i -> i % 7 == 0 ? 3 : i * i % 5).toArray();
          for (var bits : new int[] {0, 3, 4, 8}) {
            var weights = stack(bits);
            var ours = expertProduct(x, rows, experts, weights);
            Mlx.eval(ours);
            CpuPrimitives.enable(false);
            close(ours, expertProduct(x, rows, experts, weights));
            CpuPrimitives.enable(true);
            // A pair alone gives the same bits.
            for (var pair : new int[] {0, 77, 159}) {
              var alone =
                  expertProduct(x, new int[] {rows[pair]}, new int[] {experts[pair]}, weights);
              assertThat(alone.toFloats()).isEqualTo(Mlx.slice(ours, 0, pair, pair + 1).toFloats());
            }
          }
          return null;
        });
  }

  private static Array expertProduct(Array x, int[] rows, int[] experts, LayerOps.Weight weights) {
    return LayerOps.expertProduct(
        x, Mlx.array(rows, rows.length), Mlx.array(experts, experts.length), weights);
  }

  /** Five experts of 37 outputs. */
  private static LayerOps.Weight stack(int bits) {
    var w = random(60 + bits, 5, 37, 96);
    var bias = random(70 + bits, 5, 37);
    if (bits == 0) {
      return new LayerOps.Weight(w, null, null, bias, 0, 0);
    }
    var q = Mlx.quantize(w, 32, bits);
    Mlx.eval(q.weight(), q.scales(), q.biases());
    return new LayerOps.Weight(q.weight(), q.scales(), q.biases(), bias, 32, bits);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void unpacksRows(String kernels) {
    mlx.call(
        () -> {
          CpuPrimitives.chooseKernels(kernels);
          for (var bits : new int[] {2, 3, 4, 5, 6, 8}) {
            var table = packed(20 + bits, 37, bits, 32, false);
            var ids = Mlx.array(new int[] {0, 36, 5, 36}, 4);
            var ours = LayerOps.embedding(ids, table, DType.FLOAT32);
            Mlx.eval(ours);
            CpuPrimitives.enable(false);
            close(ours, LayerOps.embedding(ids, table, DType.FLOAT32));
            CpuPrimitives.enable(true);
          }
          return null;
        });
  }

  record Plan(int rows, int before, int window, boolean traditional, boolean norms, int dims) {}

  static List<Plan> plans() {
    var plans = new ArrayList<Plan>();
    for (var rows : new int[] {1, 3, 50}) {
      for (var before : new int[] {0, 5, 40}) {
        plans.add(new Plan(rows, before, 0, false, false, 32));
        plans.add(new Plan(rows, before, 9, false, true, 16));
        plans.add(new Plan(rows, before, 33, true, true, 24));
      }
    }
    return plans;
  }

  @ParameterizedTest
  @MethodSource("plans")
  void attendsOverACacheAsMlxDoes(Plan plan) {
    mlx.call(
        () -> {
          for (var kernels : kernels()) {
            CpuPrimitives.chooseKernels(kernels);
            var ours = attended(plan, true);
            Mlx.eval(ours.mixed(), ours.keys(), ours.values());
            CpuPrimitives.enable(false);
            var theirs = attended(plan, false);
            close(ours.mixed(), theirs.mixed());
            var end = plan.before() + plan.rows();
            close(Mlx.slice(ours.keys(), 2, 0, end), Mlx.slice(theirs.keys(), 2, 0, end));
            close(Mlx.slice(ours.values(), 2, 0, end), Mlx.slice(theirs.values(), 2, 0, end));
            CpuPrimitives.enable(true);
          }
          return null;
        });
  }

  /** Some rows before, then those of the plan, over one contiguous sequence. */
  private static LayerOps.Attended attended(Plan plan, boolean primitives) {
    var rotation = new LayerOps.Rotation(plan.dims() / 2, plan.traditional(), 10000, 1, null, 1);
    var norm = plan.norms() ? new LayerOps.Norm(random(30, plan.dims()), 1e-6f) : null;
    var shape =
        new LayerOps.AttentionPlan(6, 2, plan.dims(), 0.3f, plan.window(), rotation, norm, norm);
    var keys = Mlx.zeros(DType.FLOAT32, 1, 2, 128, plan.dims());
    var values = Mlx.zeros(DType.FLOAT32, 1, 2, 128, plan.dims());
    LayerOps.Attended last = null;
    for (var part : new int[][] {{0, plan.before()}, {plan.before(), plan.rows()}}) {
      if (part[1] == 0) {
        continue;
      }
      var positions = Mlx.array(IntStream.range(part[0], part[0] + part[1]).toArray(), part[1]);
      last =
          LayerOps.cachedAttention(
              random(31 + part[0], part[1], 6 * plan.dims()),
              random(32 + part[0], part[1], 2 * plan.dims()),
              random(33 + part[0], part[1], 2 * plan.dims()),
              new LayerOps.LayerMemory(
                  keys,
                  values,
                  new LayerOps.RowPlaces(
                      part[0],
                      positions,
                      null,
                      null,
                      primitives ? LayerOps.ropeAngles(positions, rotation) : null)),
              shape);
      keys = last.keys();
      values = last.values();
    }
    return last;
  }

  /**
   * A number in 8 bits is off by half a step, 1/254 of the largest of its row; attention over it is
   * as exact as any other. In one piece, and in blocks of which the first is the pool's last.
   */
  @ParameterizedTest
  @MethodSource("kernels")
  void keepsKeysAndValuesInEightBits(String kernels) {
    mlx.call(
        () -> {
          CpuPrimitives.chooseKernels(kernels);
          for (var dims : new int[] {64, 24}) {
            for (var tables : new int[][] {null, {2, 0}}) {
              var queries = random(80, 45, 6 * dims);
              var keys = random(81, 45, 2 * dims);
              var values = random(82, 45, 2 * dims);
              var ours = attendedInEightBits(queries, keys, values, dims, tables);
              Mlx.eval(ours.mixed(), ours.keys(), ours.values());
              CpuPrimitives.enable(false);
              var theirs = attendedInEightBits(queries, keys, values, dims, tables);
              close(ours.mixed(), theirs.mixed());
              var storedKeys = stored(ours.keys(), dims, tables);
              var storedValues = stored(ours.values(), dims, tables);
              // MLX's ops keep the same bits.
              assertThat(storedKeys).isEqualTo(stored(theirs.keys(), dims, tables));
              assertThat(storedValues).isEqualTo(stored(theirs.values(), dims, tables));
              CpuPrimitives.enable(true);
              assertRounded(storedKeys, doubles(headsFirst(keys, 2, dims)), dims);
              assertRounded(storedValues, doubles(headsFirst(values, 2, dims)), dims);
              var expected =
                  Reference.attention(
                      doubles(headsFirst(queries, 6, dims)),
                      storedKeys,
                      storedValues,
                      1,
                      6,
                      2,
                      45,
                      45,
                      dims,
                      0.3f,
                      true);
              assertThat(relative(doubles(headsFirst(ours.mixed(), 6, dims)), expected))
                  .isLessThan(1e-6);
            }
          }
          return null;
        });
  }

  private static LayerOps.Attended attendedInEightBits(
      Array queries, Array keys, Array values, int dims, int[] tables) {
    var rows = queries.dim(0);
    var shape = tables == null ? new int[] {1, 2, 64, dims + 4} : new int[] {3, 2, 32, dims + 4};
    var places =
        new LayerOps.RowPlaces(
            0,
            Mlx.array(IntStream.range(0, rows).toArray(), rows),
            tables == null ? null : Mlx.array(new int[rows], rows),
            tables == null ? null : Mlx.array(tables, 1, tables.length),
            null);
    var rotation = new LayerOps.Rotation(0, false, 10000, 1, null, 1);
    return LayerOps.cachedAttention(
        queries,
        keys,
        values,
        new LayerOps.LayerMemory(
            Mlx.zeros(DType.INT8, shape), Mlx.zeros(DType.INT8, shape), places),
        new LayerOps.AttentionPlan(6, 2, dims, 0.3f, 0, rotation, null, null));
  }

  /** What the first 45 positions hold, {@code [2, 45, dims]}. */
  private static double[] stored(Array memory, int dims, int[] tables) {
    var bytes = memory.view();
    var size = memory.dim(2);
    var numbers = new double[2 * 45 * dims];
    for (var at = 0; at < numbers.length; at++) {
      var head = at / dims / 45;
      var position = at / dims % 45;
      var block = tables == null ? 0 : tables[position / size];
      var row = ((block * 2L + head) * size + position % size) * (dims + 4);
      var scale = bytes.get(ValueLayout.JAVA_FLOAT_UNALIGNED, row + dims);
      numbers[at] = (double) bytes.get(ValueLayout.JAVA_BYTE, row + at % dims) * scale;
    }
    return numbers;
  }

  private static void assertRounded(double[] stored, double[] exact, int dims) {
    for (var row = 0; row < exact.length; row += dims) {
      var largest = 0.0;
      var error = 0.0;
      for (var i = row; i < row + dims; i++) {
        largest = Math.max(largest, Math.abs(exact[i]));
        error = Math.max(error, Math.abs(stored[i] - exact[i]));
      }
      assertThat(error).isPositive().isLessThan(largest / 254 * 1.0001);
    }
  }

  private static Array headsFirst(Array rows, int heads, int dims) {
    return Mlx.contiguous(
        Mlx.transpose(Mlx.reshape(rows, 1, rows.dim(0), heads, dims), 0, 2, 1, 3));
  }

  private static double[] doubles(Array a) {
    var floats = a.toFloats();
    return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
  }

  private static double relative(double[] found, double[] expected) {
    var error = 0.0;
    var size = 0.0;
    for (var i = 0; i < found.length; i++) {
      error += (found[i] - expected[i]) * (found[i] - expected[i]);
      size += expected[i] * expected[i];
    }
    return Math.sqrt(error / size);
  }

  @Test
  void refusesWhatDoesNotFit() {
    mlx.call(
        () -> {
          var x = random(40, 2, 64);
          assertThatThrownBy(
                  () ->
                      LayerOps.products(x, Optional.empty(), List.of(packed(41, 8, 4, 32, false))))
              .isInstanceOf(MlxException.class)
              .hasMessageContaining("64");
          assertThatThrownBy(
                  () ->
                      LayerOps.productPlus(
                          random(42, 2, 96), packed(43, 8, 4, 32, false), random(44, 2, 9)))
              .isInstanceOf(MlxException.class)
              .hasMessageContaining("added");
          return null;
        });
  }

  private static LayerOps.Weight packed(long seed, int outputs, int bits, int group, boolean bias) {
    var q = Mlx.quantize(random(seed, outputs, 96), group, bits);
    Mlx.eval(q.weight(), q.scales(), q.biases());
    return new LayerOps.Weight(
        q.weight(), q.scales(), q.biases(), bias ? random(seed + 1, outputs) : null, group, bits);
  }

  private static LayerOps.Weight dense(long seed, int outputs, DType type, boolean bias) {
    var w = Mlx.astype(random(seed, outputs, 96), type);
    Mlx.eval(w);
    return new LayerOps.Weight(w, null, null, bias ? random(seed + 1, outputs) : null, 0, 0);
  }

  private static Array random(long seed, int... shape) {
    var made = Mlx.randomNormal(seed, 0, 1, DType.FLOAT32, shape);
    Mlx.eval(made);
    return made;
  }

  private static void close(Array found, Array expected) {
    assertThat(found.shape()).isEqualTo(expected.shape());
    assertThat(found.dtype()).isEqualTo(expected.dtype());
    var a = found.toFloats();
    var b = expected.toFloats();
    var size = 1e-6;
    for (var value : b) {
      size = Math.max(size, Math.abs(value));
    }
    for (var i = 0; i < a.length; i++) {
      assertThat(Math.abs(a[i] - b[i]))
          .as("at %d of %s", i, Arrays.toString(found.shape()))
          .isLessThan((float) (2e-5 * size));
    }
  }
}
