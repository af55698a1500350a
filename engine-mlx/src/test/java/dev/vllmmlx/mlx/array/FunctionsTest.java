package dev.vllmmlx.mlx.array;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The functions that are MLX's own, each against plain Java: that the binding calls what it names.
 */
class FunctionsTest {

  private static final float[] A = {-2.5f, -1, -0.25f, 0.5f, 1, 3};
  private static final float[] B = {2, -3, 0.5f, 0.5f, 4, -1.5f};

  private static MlxThread mlx;

  @BeforeAll
  static void start() {
    mlx = MlxThread.start("mlx");
  }

  @AfterAll
  static void stop() {
    mlx.close();
  }

  private interface Body {
    void run() throws Exception;
  }

  private static void on(Body body) {
    mlx.call(
        () -> {
          body.run();
          return null;
        });
  }

  private static void each(
      UnaryOperator<Array> function, float[] in, DoubleUnaryOperator expected) {
    var found = function.apply(Mlx.array(in)).toFloats();
    for (var i = 0; i < in.length; i++) {
      assertThat(found[i]).isCloseTo((float) expected.applyAsDouble(in[i]), within(1e-5f));
    }
  }

  private interface Both {
    Array apply(Array a, Array b);
  }

  private static void pairs(Both function, DoubleBinaryOperator expected) {
    var found = function.apply(Mlx.array(A), Mlx.array(B)).toFloats();
    for (var i = 0; i < A.length; i++) {
      assertThat(found[i]).isCloseTo((float) expected.applyAsDouble(A[i], B[i]), within(1e-5f));
    }
  }

  @Test
  void worksElementByElement() {
    on(
        () -> {
          var positive = new float[] {0.25f, 1, 2, 9};
          each(Mlx::abs, A, Math::abs);
          each(Mlx::negative, A, x -> -x);
          each(Mlx::exp, A, Math::exp);
          each(Mlx::log, positive, Math::log);
          each(Mlx::sqrt, positive, Math::sqrt);
          each(Mlx::rsqrt, positive, x -> 1 / Math.sqrt(x));
          each(Mlx::square, A, x -> x * x);
          each(Mlx::sin, A, Math::sin);
          each(Mlx::cos, A, Math::cos);
          each(Mlx::tanh, A, Math::tanh);
          each(Mlx::sigmoid, A, x -> 1 / (1 + Math.exp(-x)));
          each(Mlx::silu, A, x -> x / (1 + Math.exp(-x)));
          each(Mlx::floor, A, Math::floor);
          each(Mlx::round, A, Math::rint);
          each(
              Mlx::erf, new float[] {0, 0.5f, 1}, x -> x == 0 ? 0 : x == 1 ? 0.8427008 : 0.5204999);
          each(Mlx::logicalNot, new float[] {0, 2}, x -> x == 0 ? 1 : 0);
          each(Mlx::isNan, new float[] {0, Float.NaN}, x -> Double.isNaN(x) ? 1 : 0);
          each(Mlx::isFinite, new float[] {1, Float.POSITIVE_INFINITY}, x -> x == 1 ? 1 : 0);
          each(a -> Mlx.clip(a, -1, 0.75), A, x -> Math.clamp(x, -1, 0.75));
        });
  }

  @Test
  void worksOnPairs() {
    on(
        () -> {
          pairs(Mlx::add, (a, b) -> a + b);
          pairs(Mlx::subtract, (a, b) -> a - b);
          pairs(Mlx::multiply, (a, b) -> a * b);
          pairs(Mlx::divide, (a, b) -> a / b);
          pairs(Mlx::floorDivide, (a, b) -> Math.floor(a / b));
          pairs(Mlx::remainder, (a, b) -> a - b * Math.floor(a / b));
          pairs(Mlx::maximum, Math::max);
          pairs(Mlx::minimum, Math::min);
          pairs(Mlx::equal, (a, b) -> a == b ? 1 : 0);
          pairs(Mlx::notEqual, (a, b) -> a != b ? 1 : 0);
          pairs(Mlx::less, (a, b) -> a < b ? 1 : 0);
          pairs(Mlx::lessEqual, (a, b) -> a <= b ? 1 : 0);
          pairs(Mlx::greater, (a, b) -> a > b ? 1 : 0);
          pairs(Mlx::greaterEqual, (a, b) -> a >= b ? 1 : 0);
          pairs((a, b) -> Mlx.power(Mlx.abs(a), b), (a, b) -> Math.pow(Math.abs(a), b));
          pairs((a, b) -> Mlx.where(Mlx.less(a, b), a, b), Math::min);
          pairs(
              (a, b) -> Mlx.logicalAnd(Mlx.less(a, 0), Mlx.less(b, 0)),
              (a, b) -> a < 0 && b < 0 ? 1 : 0);
          pairs(
              (a, b) -> Mlx.logicalOr(Mlx.less(a, 0), Mlx.less(b, 0)),
              (a, b) -> a < 0 || b < 0 ? 1 : 0);
        });
  }

  @Test
  void givesScalarsTheTypeOfTheArrayAsPythonDoes() {
    on(
        () -> {
          var half = Mlx.astype(Mlx.array(A), DType.FLOAT16);
          var whole = Mlx.array(new int[] {1, 2, 3});
          assertThat(Mlx.multiply(half, 0.5).dtype()).isEqualTo(DType.FLOAT16);
          assertThat(Mlx.add(half, 1).dtype()).isEqualTo(DType.FLOAT16);
          assertThat(Mlx.add(whole, 1).dtype()).isEqualTo(DType.INT32);
          assertThat(Mlx.add(whole, 0.5).dtype()).isEqualTo(DType.FLOAT32);
          assertThat(Mlx.add(whole, 0.5).toFloats()).containsExactly(1.5f, 2.5f, 3.5f);
          assertThat(Mlx.add(Mlx.array(new boolean[] {true}), 1).itemInt()).isEqualTo(2);
          assertThat(Mlx.floorDivide(whole, 2).toInts()).containsExactly(0, 1, 1);
          assertThat(Mlx.remainder(whole, 2).toInts()).containsExactly(1, 0, 1);
        });
  }

  @Test
  void makesArrays() {
    on(
        () -> {
          assertThat(Mlx.arange(2, 5).toInts()).containsExactly(2, 3, 4);
          assertThat(Mlx.arange(0, 1, 0.25, DType.FLOAT32).toFloats())
              .containsExactly(0, 0.25f, 0.5f, 0.75f);
          assertThat(Mlx.zeros(DType.INT8, 2, 2).toInts()).containsOnly(0).hasSize(4);
          assertThat(Mlx.ones(DType.BFLOAT16, 3).toFloats()).containsExactly(1, 1, 1);
          assertThat(Mlx.full(16_777_217, DType.INT32).itemInt()).isEqualTo(16_777_217);
          assertThat(Mlx.scalar(0.5, DType.FLOAT32).shape()).isEmpty();
          assertThat(Mlx.array(new boolean[] {true, false}).dtype()).isEqualTo(DType.BOOL);
          assertThat(Mlx.array(new int[] {1, 2, 3, 4}, 2, 2).dim(-1)).isEqualTo(2);
          var same = Mlx.randomNormal(7, 1, 2, DType.FLOAT32, 1000).toFloats();
          assertThat(Mlx.randomNormal(7, 1, 2, DType.FLOAT32, 1000).toFloats()).isEqualTo(same);
          assertThat(Mlx.mean(Mlx.array(same), 0).item()).isCloseTo(1, within(0.3f));
          for (var x : Mlx.randomUniform(7, 3, 4, DType.FLOAT32, 100).toFloats()) {
            assertThat(x).isBetween(3f, 4f);
          }
        });
  }

  @Test
  void changesTypes() {
    on(
        () -> {
          var a = Mlx.array(A);
          assertThat(Mlx.astype(a, DType.FLOAT32)).isSameAs(a);
          assertThat(Mlx.astype(a, DType.INT32).toInts()).containsExactly(-2, -1, 0, 0, 1, 3);
          assertThat(Mlx.viewAs(Mlx.array(new float[] {1}), DType.INT32).itemInt())
              .isEqualTo(0x3f800000);
          for (var type : DType.values()) {
            assertThat(Mlx.zeros(type, 2).dtype()).isEqualTo(type);
            assertThat(Mlx.zeros(type, 2).bytes()).isEqualTo(2L * type.bytes());
          }
        });
  }

  @Test
  void changesShapes() {
    on(
        () -> {
          var a = Mlx.array(new float[] {0, 1, 2, 3, 4, 5}, 2, 3);
          assertThat(Mlx.reshape(a, 3, -1).shape()).containsExactly(3, 2);
          assertThat(Mlx.transpose(a).toFloats()).containsExactly(0, 3, 1, 4, 2, 5);
          assertThat(Mlx.transpose(Mlx.reshape(a, 1, 2, 3), 2, 0, 1).shape())
              .containsExactly(3, 1, 2);
          assertThat(Mlx.swapAxes(a, 0, 1).shape()).containsExactly(3, 2);
          assertThat(Mlx.expandDims(a, 1).shape()).containsExactly(2, 1, 3);
          assertThat(Mlx.squeeze(Mlx.expandDims(a, 1), 1).shape()).containsExactly(2, 3);
          assertThat(Mlx.flatten(Mlx.reshape(a, 1, 2, 3), 1, -1).shape()).containsExactly(1, 6);
          assertThat(Mlx.broadcastTo(Mlx.array(new float[] {7}), 2, 2).toFloats())
              .containsExactly(7, 7, 7, 7);
          assertThat(Mlx.slice(a, 1, 1, 3).toFloats()).containsExactly(1, 2, 4, 5);
          assertThat(Mlx.slice(a, -1, -1, 3).toFloats()).containsExactly(2, 5);
          assertThat(Mlx.slice(a, new int[] {0, 0}, new int[] {2, 3}, new int[] {1, 2}).toFloats())
              .containsExactly(0, 2, 3, 5);
          var nines = Mlx.full(9, DType.FLOAT32, 2, 1);
          assertThat(Mlx.sliceUpdate(a, nines, 1, 1, 2).toFloats())
              .containsExactly(0, 9, 2, 3, 9, 5);
          assertThat(
                  Mlx.sliceUpdate(a, nines, new int[] {0, 2}, new int[] {2, 3}, new int[] {1, 1})
                      .toFloats())
              .containsExactly(0, 1, 9, 3, 4, 9);
          assertThat(a.toFloats()).containsExactly(0, 1, 2, 3, 4, 5);
          assertThat(Mlx.concatenate(List.of(a, a), 0).shape()).containsExactly(4, 3);
          assertThat(Mlx.stack(List.of(a, a, a), 0).shape()).containsExactly(3, 2, 3);
          assertThat(Mlx.split(a, 3, 1).get(2).toFloats()).containsExactly(2, 5);
          assertThat(Mlx.repeat(Mlx.array(new float[] {1, 2}), 2, 0).toFloats())
              .containsExactly(1, 1, 2, 2);
          assertThat(Mlx.tril(Mlx.ones(DType.FLOAT32, 2, 2), 0).toFloats())
              .containsExactly(1, 0, 1, 1);
          assertThat(Mlx.contiguous(Mlx.transpose(a)).toFloats()).containsExactly(0, 3, 1, 4, 2, 5);
          assertThat(Mlx.share(a).toFloats()).isEqualTo(a.toFloats());
        });
  }

  @Test
  void gathers() {
    on(
        () -> {
          var a = Mlx.array(new float[] {0, 1, 2, 3, 4, 5}, 3, 2);
          assertThat(Mlx.take(a, Mlx.array(new int[] {2, 0}), 0).toFloats())
              .containsExactly(4, 5, 0, 1);
          var at = Mlx.array(new int[] {1, 0, 1}, 3, 1);
          assertThat(Mlx.takeAlongAxis(a, at, 1).toFloats()).containsExactly(1, 2, 5);
          assertThat(Mlx.putAlongAxis(a, at, Mlx.full(9, DType.FLOAT32, 3, 1), 1).toFloats())
              .containsExactly(0, 9, 9, 3, 4, 9);
        });
  }

  @Test
  void reduces() {
    on(
        () -> {
          var a = Mlx.array(new float[] {3, 1, 2, 6, 5, 4}, 2, 3);
          assertThat(Mlx.sum(a, 1).toFloats()).containsExactly(6, 15);
          assertThat(Mlx.sum(a, 1, true).shape()).containsExactly(2, 1);
          assertThat(Mlx.mean(a, 0).toFloats()).containsExactly(4.5f, 3, 3);
          assertThat(Mlx.max(a, 1).toFloats()).containsExactly(3, 6);
          assertThat(Mlx.min(a, 1).toFloats()).containsExactly(1, 4);
          assertThat(Mlx.argMax(a, 1).toInts()).containsExactly(0, 0);
          assertThat(Mlx.argMin(a, 1).toInts()).containsExactly(1, 2);
          assertThat(Mlx.all(Mlx.greater(a, 1), 1).toInts()).containsExactly(0, 1);
          assertThat(Mlx.any(Mlx.greater(a, 5), 1).toInts()).containsExactly(0, 1);
          assertThat(Mlx.cumSum(a, 1).toFloats()).containsExactly(3, 4, 6, 6, 11, 15);
          assertThat(Mlx.sort(a, 1).toFloats()).containsExactly(1, 2, 3, 4, 5, 6);
          assertThat(Mlx.argSort(a, 1).toInts()).containsExactly(1, 2, 0, 2, 1, 0);
          assertThat(
                  Mlx.take(
                          Mlx.reshape(a, 6),
                          Mlx.slice(Mlx.argPartition(Mlx.reshape(a, 6), 2, 0), 0, 0, 3),
                          0)
                      .toFloats())
              .containsExactlyInAnyOrder(1, 2, 3);
          assertThat(Mlx.topK(Mlx.reshape(a, 6), 2, 0).toFloats()).containsExactlyInAnyOrder(5, 6);
          var total = Math.exp(3) + Math.exp(1) + Math.exp(2);
          assertThat(Mlx.logSumExp(a, 1).toFloats()[0])
              .isCloseTo((float) Math.log(total), within(1e-6f));
          assertThat(Mlx.softmax(a, 1).toFloats()[1])
              .isCloseTo((float) (Math.exp(1) / total), within(1e-6f));
          assertThat(Mlx.preciseSoftmax(Mlx.astype(a, DType.FLOAT16), 1).toFloats()[1])
              .isCloseTo((float) (Math.exp(1) / total), within(1e-3f));
        });
  }

  @Test
  void addsToProducts() {
    on(
        () -> {
          var a = Mlx.array(new float[] {1, 2, 3, 4}, 2, 2);
          var c = Mlx.array(new float[] {10, 20});
          assertThat(Mlx.addmm(c, a, a, 2, 0.5f).toFloats()).containsExactly(19, 30, 35, 54);
          assertThat(Mlx.linear(a, a, Optional.of(c)).toFloats()).containsExactly(15, 31, 21, 45);
        });
  }

  @Test
  void normalizesLayers() {
    on(
        () -> {
          var y =
              Mlx.layerNorm(
                      Mlx.array(new float[] {1, 3}, 1, 2),
                      Optional.of(Mlx.array(new float[] {2, 2})),
                      Optional.of(Mlx.array(new float[] {1, 1})),
                      0)
                  .toFloats();
          assertThat(y).containsExactly(new float[] {-1, 3}, within(1e-5f));
        });
  }

  @Test
  void attendsUnderAMask() {
    on(
        () -> {
          var q = Mlx.zeros(DType.FLOAT32, 1, 1, 1, 4);
          var k = Mlx.zeros(DType.FLOAT32, 1, 1, 3, 4);
          var v = Mlx.reshape(Mlx.arange(0, 12, 1, DType.FLOAT32), 1, 1, 3, 4);
          var mask = Mlx.array(new boolean[] {true, false, true}, 1, 3);
          assertThat(Mlx.maskedAttention(q, k, v, 1, mask).toFloats())
              .containsExactly(new float[] {4, 5, 6, 7}, within(1e-5f));
        });
  }

  @Test
  void computesInTheBackground() {
    on(
        () -> {
          var a = Mlx.matmul(Mlx.ones(DType.FLOAT32, 64, 64), Mlx.ones(DType.FLOAT32, 64, 64));
          Mlx.asyncEval(a);
          Mlx.asyncEval(List.of(Mlx.add(a, 1)));
          assertThat(Mlx.max(Mlx.reshape(a, -1), 0).item()).isEqualTo(64);
          Mlx.setCacheLimit(1 << 20);
          Mlx.setMemoryLimit(1L << 34);
          Mlx.clearCache();
          Mlx.resetPeakMemory();
          assertThat(MemoryStatus.now().cacheBytes()).isZero();
          assertThat(Mlx.version()).isEqualTo("0.32.4");
        });
  }

  @Test
  void anElementIsCopiedOutAndOverAnother() {
    on(
        () -> {
          var array = Mlx.reserved(DType.FLOAT32, 3, 2, 2);
          try (var arena = Arena.ofConfined()) {
            Mlx.copyIn(array, 1, arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2, 3, 4));
            var out = arena.allocate(16);
            Mlx.copyOut(array, 1, out);
            assertThat(out.toArray(ValueLayout.JAVA_FLOAT)).containsExactly(1, 2, 3, 4);
            assertThat(array.toFloats()).containsExactly(0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0);
            assertThatThrownBy(() -> Mlx.copyOut(array, 3, out)).isInstanceOf(MlxException.class);
            assertThatThrownBy(() -> Mlx.copyIn(array, 0, arena.allocate(15)))
                .isInstanceOf(IllegalArgumentException.class);
          }
        });
  }
}
