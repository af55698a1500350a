package dev.vllmmlx.mlx.array;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The primitives on every instruction set of this machine: against float64, against MLX's own
 * operation, and bit for bit against themselves in other company.
 */
class CpuPrimitivesTest {

  private static final List<DType> FLOATS = List.of(DType.FLOAT32, DType.FLOAT16, DType.BFLOAT16);

  private static MlxThread mlx;

  @BeforeAll
  static void start() {
    mlx = MlxThread.start("mlx", Device.CPU);
  }

  @AfterEach
  void asBefore() {
    CpuPrimitives.chooseKernels("auto");
    CpuPrimitives.setThreads(0);
    CpuPrimitives.enable(true);
  }

  @AfterAll
  static void stop() {
    mlx.close();
    assertThat(MemoryStatus.now().liveHandles()).isZero();
  }

  static List<String> kernels() {
    var found = new ArrayList<String>();
    for (var name : List.of("portable", "avx2", "avx512", "avx512vnni", "neon", "neondot")) {
      try {
        CpuPrimitives.chooseKernels(name);
        found.add(name);
      } catch (MlxException e) {
        assertThat(name).isNotEqualTo("portable");
      }
    }
    CpuPrimitives.chooseKernels("auto");
    return found;
  }

  record Packing(String kernels, DType type, int bits, int group) {}

  static Stream<Packing> packings() {
    return kernels().stream()
        .flatMap(
            k ->
                FLOATS.stream()
                    .flatMap(
                        t ->
                            Stream.of(2, 3, 4, 5, 6, 8)
                                .flatMap(
                                    b ->
                                        Stream.of(32, 64, 128).map(g -> new Packing(k, t, b, g)))));
  }

  @ParameterizedTest
  @MethodSource("packings")
  void multipliesPackedWeights(Packing p) {
    for (var groups : new int[] {1, 3, 5}) {
      var inputs = groups * p.group();
      check(p.kernels(), p.type(), () -> product(p, random(1, p.type(), 6, inputs)));
    }
  }

  /** Activations have a few values that are a thousand times the others. */
  @ParameterizedTest
  @MethodSource("packings")
  void multipliesPackedWeightsByValuesThatStandOut(Packing p) {
    check(
        p.kernels(),
        p.type(),
        () -> {
          var x = random(1, p.type(), 6, 384);
          var all = x.toFloats();
          for (var i = 0; i < all.length; i += 101) {
            all[i] *= 1000;
          }
          return product(p, Mlx.astype(Mlx.array(all, 6, 384), p.type()));
        });
  }

  @ParameterizedTest
  @MethodSource("packings")
  void keepsWhatIsNotFiniteToItsRow(Packing p) {
    mlx.call(
        () -> {
          CpuPrimitives.chooseKernels(p.kernels());
          var x = random(1, p.type(), 3, 384);
          var broken = x.toFloats();
          broken[384 + 7] = Float.NaN;
          broken[2 * 384 + 200] = Float.POSITIVE_INFINITY;
          var clean = product(p, x).operation().get();
          var found = product(p, Mlx.astype(Mlx.array(broken, 3, 384), p.type())).operation().get();
          same(Mlx.slice(found, 0, 0, 1), Mlx.slice(clean, 0, 0, 1));
          for (var value : Mlx.slice(found, 0, 1, 3).toFloats()) {
            assertThat(Float.isFinite(value)).isFalse();
          }
          return null;
        });
  }

  /** As models are computed on a CPU: float32 by weights whose scales are of half precision. */
  @ParameterizedTest
  @MethodSource("packings")
  void multipliesFloat32ByWeightsOfHalfPrecision(Packing p) {
    assumeThat(p.type()).isNotEqualTo(DType.FLOAT32);
    mlx.call(
        () -> {
          CpuPrimitives.chooseKernels(p.kernels());
          for (var rows : new int[] {1, 5, 9}) {
            var each = product(p, random(1, DType.FLOAT32, rows, 384));
            var found = each.operation().get();
            assertThat(found.dtype()).isEqualTo(DType.FLOAT32);
            // 2e-5 over many sums, but these are seven: see field_shorts.inc.
            assertThat(relative(doubles(found), each.expected())).isLessThan(5e-5);
          }
          return null;
        });
  }

  /** A product of these rows with seven outputs. */
  private static Case product(Packing p, Array x) {
    var rows = x.shape()[0];
    var inputs = x.shape()[1];
    var outputs = 7;
    var q = Mlx.quantize(random(2, p.type(), outputs, inputs), p.group(), p.bits());
    return new Case(
        () -> Mlx.quantizedMatmul(x, q.weight(), q.scales(), q.biases(), true, p.group(), p.bits()),
        Reference.product(
            doubles(x), Reference.unpacked(q, p.group(), p.bits()), rows, outputs, inputs));
  }

  record Types(String kernels, DType type) {}

  static Stream<Types> types() {
    return kernels().stream().flatMap(k -> FLOATS.stream().map(t -> new Types(k, t)));
  }

  @ParameterizedTest
  @MethodSource("types")
  void multipliesDenseWeights(Types t) {
    for (var inputs : new int[] {1, 15, 64, 333}) {
      var rows = 5;
      var outputs = 9;
      check(
          t.kernels(),
          t.type(),
          () -> {
            var x = random(3, t.type(), rows, inputs);
            var w = random(4, t.type(), outputs, inputs);
            return new Case(
                () -> Mlx.linear(x, w),
                Reference.product(doubles(x), doubles(w), rows, outputs, inputs));
          });
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void normalizes(Types t) {
    for (var size : new int[] {1, 19, 576}) {
      check(
          t.kernels(),
          t.type(),
          () -> {
            var x = random(5, t.type(), 3, size);
            var w = random(6, t.type(), size);
            return new Case(
                () -> Mlx.rmsNorm(x, w, 1e-5f), Reference.rmsNorm(doubles(x), doubles(w), 1e-5));
          });
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void gates(Types t) {
    for (var activation : Activation.values()) {
      check(
          t.kernels(),
          t.type(),
          () -> {
            var gate = Mlx.multiply(random(7, t.type(), 3, 77), 8);
            var up = random(8, t.type(), 3, 77);
            return new Case(
                () -> Mlx.gated(activation, gate, up),
                Reference.gated(activation, doubles(gate), doubles(up)));
          });
    }
  }

  @ParameterizedTest
  @MethodSource("packings")
  void multipliesAcrossPackedWeights(Packing p) {
    check(
        p.kernels(),
        p.type(),
        () -> {
          var x = random(27, p.type(), 3, 70);
          var q = Mlx.quantize(random(28, p.type(), 70, 256), p.group(), p.bits());
          var w = Reference.unpacked(q, p.group(), p.bits());
          return new Case(
              () ->
                  Mlx.quantizedMatmul(
                      x, q.weight(), q.scales(), q.biases(), false, p.group(), p.bits()),
              Reference.product(doubles(x), transposed(w, 70, 256), 3, 256, 70));
        });
  }

  private static double[] transposed(double[] w, int rows, int columns) {
    var turned = new double[w.length];
    for (var i = 0; i < w.length; i++) {
      turned[i % columns * rows + i / columns] = w[i];
    }
    return turned;
  }

  @ParameterizedTest
  @MethodSource("types")
  void rotates(Types t) {
    for (var traditional : new boolean[] {false, true}) {
      for (var position : new int[] {0, 9, 100_000}) {
        check(
            t.kernels(),
            t.type(),
            () -> {
              var x = random(9, t.type(), 2, 3, 5, 24);
              return new Case(
                  () -> Mlx.rope(x, 16, traditional, 10000, 0.5f, position, Optional.empty()),
                  Reference.rope(doubles(x), 5, 24, 16, traditional, 10000, 0.5, position));
            });
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void rotatesByGivenWavelengthsAndPositions(Types t) {
    mlx.call(
        () -> {
          CpuPrimitives.chooseKernels(t.kernels());
          var x = random(9, t.type(), 2, 3, 1, 8);
          var wavelengths = new float[4];
          for (var i = 0; i < 4; i++) {
            wavelengths[i] = (float) Math.pow(10000, i / 4.0);
          }
          var at =
              Mlx.rope(
                  x,
                  8,
                  false,
                  0,
                  1,
                  Mlx.array(new int[] {3, 11}),
                  Optional.of(Mlx.array(wavelengths)));
          for (var b = 0; b < 2; b++) {
            var alone =
                Mlx.rope(
                    Mlx.slice(x, 0, b, b + 1),
                    8,
                    false,
                    10000,
                    1,
                    b == 0 ? 3 : 11,
                    Optional.empty());
            assertThat(relative(doubles(Mlx.slice(at, 0, b, b + 1)), doubles(alone)))
                .isLessThan(rounding(t.type()));
          }
          return null;
        });
  }

  @ParameterizedTest
  @MethodSource("types")
  void attends(Types t) {
    for (var causal : new boolean[] {false, true}) {
      for (var shape : new int[][] {{1, 1, 20}, {1, 77, 16}, {5, 5, 64}, {7, 70, 33}}) {
        int rows = shape[0];
        int keys = shape[1];
        int dims = shape[2];
        check(
            t.kernels(),
            t.type(),
            () -> {
              var q = random(10, t.type(), 2, 6, rows, dims);
              var k = random(11, t.type(), 2, 2, keys, dims);
              var v = random(12, t.type(), 2, 2, keys, dims);
              var scale = (float) (1 / Math.sqrt(dims));
              return new Case(
                  () ->
                      causal ? Mlx.causalAttention(q, k, v, scale) : Mlx.attention(q, k, v, scale),
                  Reference.attention(
                      doubles(q),
                      doubles(k),
                      doubles(v),
                      2,
                      6,
                      2,
                      rows,
                      keys,
                      dims,
                      scale,
                      causal));
            });
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void readsTransposedAndSlicedOperands(Types t) {
    mlx.call(
        () -> {
          CpuPrimitives.chooseKernels(t.kernels());
          var x = Mlx.transpose(random(13, t.type(), 64, 5));
          var w = random(14, t.type(), 8, 64);
          same(Mlx.linear(x, w), Mlx.linear(Mlx.contiguous(x), w));
          var q = Mlx.quantize(w, 32, 4);
          same(packed(x, q), packed(Mlx.contiguous(x), q));
          var cut = Mlx.slice(random(15, t.type(), 4, 128), 1, 32, 96);
          same(packed(cut, q), packed(Mlx.contiguous(cut), q));
          var n = random(16, t.type(), 64);
          same(Mlx.rmsNorm(x, n, 1e-5f), Mlx.rmsNorm(Mlx.contiguous(x), n, 1e-5f));
          same(
              Mlx.gated(Activation.SILU, x, cut(x)),
              Mlx.gated(Activation.SILU, Mlx.contiguous(x), Mlx.contiguous(cut(x))));

          var heads = Mlx.transpose(random(17, t.type(), 1, 7, 4, 16), 0, 2, 1, 3);
          same(rope(heads), rope(Mlx.contiguous(heads)));
          var odd = Mlx.swapAxes(random(18, t.type(), 1, 4, 16, 7), 2, 3);
          same(rope(odd), rope(Mlx.contiguous(odd)));
          var cache = Mlx.slice(random(19, t.type(), 1, 2, 20, 16), 2, 3, 14);
          for (var queries : List.of(heads, odd)) {
            same(
                Mlx.causalAttention(queries, cache, cache, 0.25f),
                Mlx.causalAttention(
                    Mlx.contiguous(queries), Mlx.contiguous(cache), Mlx.contiguous(cache), 0.25f));
          }
          var scattered = Mlx.swapAxes(random(20, t.type(), 1, 2, 16, 11), 2, 3);
          var found = Mlx.causalAttention(heads, scattered, cache, 0.25f);
          var dense = Mlx.causalAttention(heads, Mlx.contiguous(scattered), cache, 0.25f);
          assertThat(relative(doubles(found), doubles(dense))).isLessThan(rounding(t.type()));
          return null;
        });
  }

  private static Array cut(Array x) {
    return Mlx.slice(Mlx.concatenate(List.of(x, x), 1), 1, 10, 74);
  }

  private static Array rope(Array x) {
    return Mlx.rope(x, 16, false, 10000, 1, 5, Optional.empty());
  }

  private static Array packed(Array x, Mlx.Quantized q) {
    return Mlx.quantizedMatmul(x, q.weight(), q.scales(), q.biases(), true, 32, 4);
  }

  /**
   * A seeded request gives the same tokens alone and among others, whatever the chunk and the
   * threads.
   */
  @ParameterizedTest
  @MethodSource("types")
  void givesARowTheSameBitsInAnyCompany(Types t) {
    mlx.call(
        () -> {
          CpuPrimitives.chooseKernels(t.kernels());
          var rows = 37;
          var x = random(21, t.type(), rows, 320);
          var w = random(22, t.type(), 130, 320);
          var norm = random(23, t.type(), 320);
          for (var operation :
              List.<java.util.function.UnaryOperator<Array>>of(
                  a -> Mlx.linear(a, w),
                  a -> Mlx.rmsNorm(a, norm, 1e-6f),
                  a -> Mlx.gated(Activation.GELU, a, Mlx.multiply(a, 3)),
                  quantized(w, 2),
                  quantized(w, 3),
                  quantized(w, 4),
                  quantized(w, 5),
                  quantized(w, 6),
                  quantized(w, 8))) {
            CpuPrimitives.setThreads(1);
            var together = operation.apply(x);
            Mlx.eval(together);
            for (var threads : new int[] {1, 2, 3}) {
              CpuPrimitives.setThreads(threads);
              for (var chunk : new int[] {1, 3, 4, 32, 37}) {
                for (var at = 0; at + chunk <= rows; at += chunk) {
                  same(
                      operation.apply(Mlx.slice(x, 0, at, at + chunk)),
                      Mlx.slice(together, 0, at, at + chunk));
                }
              }
            }
          }
          return null;
        });
  }

  private static java.util.function.UnaryOperator<Array> quantized(Array w, int bits) {
    var q = Mlx.quantize(w, 64, bits);
    return a -> Mlx.quantizedMatmul(a, q.weight(), q.scales(), q.biases(), true, 64, bits);
  }

  @ParameterizedTest
  @MethodSource("types")
  void attendsWithTheSameBitsInAnyChunk(Types t) {
    mlx.call(
        () -> {
          CpuPrimitives.chooseKernels(t.kernels());
          var rows = 41;
          var q = random(24, t.type(), 1, 4, rows, 32);
          var k = random(25, t.type(), 1, 2, rows, 32);
          var v = random(26, t.type(), 1, 2, rows, 32);
          CpuPrimitives.setThreads(1);
          var together = Mlx.causalAttention(q, k, v, 0.2f);
          Mlx.eval(together);
          for (var threads : new int[] {1, 3}) {
            CpuPrimitives.setThreads(threads);
            for (var chunk : new int[] {1, 5, 16}) {
              for (var at = 0; at + chunk <= rows; at += chunk) {
                same(
                    Mlx.causalAttention(
                        Mlx.slice(q, 2, at, at + chunk),
                        Mlx.slice(k, 2, 0, at + chunk),
                        Mlx.slice(v, 2, 0, at + chunk),
                        0.2f),
                    Mlx.slice(together, 2, at, at + chunk));
              }
            }
          }
          return null;
        });
  }

  @Test
  void refusesKernelsThatTheMachineDoesNotHave() {
    assertThatThrownBy(() -> CpuPrimitives.chooseKernels("sparc"))
        .isInstanceOf(MlxException.class)
        .hasMessageContaining("sparc");
  }

  // One operation with what it should give

  record Case(Supplier<Array> operation, double[] expected) {}

  private static void check(String kernels, DType type, Supplier<Case> made) {
    mlx.call(
        () -> {
          CpuPrimitives.chooseKernels(kernels);
          var each = made.get();
          CpuPrimitives.enable(true);
          var ours = each.operation().get();
          CpuPrimitives.enable(false);
          var theirs = each.operation().get();
          CpuPrimitives.enable(true);
          assertThat(ours.shape()).isEqualTo(theirs.shape());
          assertThat(ours.dtype()).isEqualTo(type);
          var error = relative(doubles(ours), each.expected());
          var mlxError = relative(doubles(theirs), each.expected());
          // Half types round the result once; float32 sums have noise of their own.
          assertThat(error).isLessThan(Math.max(mlxError * 1.01, rounding(type)));
          return null;
        });
  }

  /** The relative root mean square error of one rounding, and a little for the sum. */
  private static double rounding(DType type) {
    return switch (type) {
      case FLOAT16 -> 0x1p-11 * 0.7;
      case BFLOAT16 -> 0x1p-8 * 0.7;
      default -> 3e-7;
    };
  }

  private static double relative(double[] found, double[] expected) {
    assertThat(found).hasSameSizeAs(expected);
    var error = 0.0;
    var size = 0.0;
    for (var i = 0; i < found.length; i++) {
      error += (found[i] - expected[i]) * (found[i] - expected[i]);
      size += expected[i] * expected[i];
    }
    return Math.sqrt(error / size);
  }

  private static void same(Array found, Array expected) {
    assertThat(found.shape()).isEqualTo(expected.shape());
    assertThat(Arrays.equals(found.toFloats(), expected.toFloats())).isTrue();
  }

  private static Array random(long seed, DType type, int... shape) {
    var made = Mlx.astype(Mlx.randomNormal(seed, 0, 1, DType.FLOAT32, shape), type);
    Mlx.eval(made);
    return made;
  }

  private static double[] doubles(Array a) {
    var floats = a.toFloats();
    var doubles = new double[floats.length];
    for (var i = 0; i < floats.length; i++) {
      doubles[i] = floats[i];
    }
    return doubles;
  }
}
