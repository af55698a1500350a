package dev.vllmmlx.bench;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.array.LayerOps;
import dev.vllmmlx.mlx.array.Mlx;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Products of rows with a weight matrix, in SmolLM2's shapes. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED"})
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class ProductBenchmark {

  private static final int TIMES = 8;

  /** Inputs x outputs: query, up, down and the head. */
  @Param({"576x576", "576x1536", "1536x576", "576x49152"})
  public String shape;

  @Param({"4bit", "8bit", "bfloat16"})
  public String weights;

  @Param({"1", "8", "64", "512"})
  public int rows;

  private Owned owned;
  private Array input;
  private LayerOps.Weight weight;

  @Setup
  public void make() {
    var sizes = shape.split("x");
    var inputs = Integer.parseInt(sizes[0]);
    var outputs = Integer.parseInt(sizes[1]);
    owned = new Owned();
    input = owned.make(() -> evaluated(Mlx.randomUniform(1, -1, 1, DType.FLOAT32, rows, inputs)));
    weight =
        owned.make(
            () ->
                weight(
                    Mlx.astype(
                        Mlx.randomUniform(2, -1, 1, DType.FLOAT32, outputs, inputs),
                        DType.BFLOAT16)));
  }

  private LayerOps.Weight weight(Array dense) {
    if (weights.equals("bfloat16")) {
      return new LayerOps.Weight(evaluated(dense), null, null, null, 0, 0);
    }
    var bits = Integer.parseInt(weights.replace("bit", ""));
    var packed = Mlx.quantize(dense, 64, bits);
    return new LayerOps.Weight(
        evaluated(packed.weight()),
        evaluated(packed.scales()),
        evaluated(packed.biases()),
        null,
        64,
        bits);
  }

  private static Array evaluated(Array array) {
    Mlx.eval(array);
    return array;
  }

  @TearDown
  public void end() {
    owned.close();
  }

  @Benchmark
  @OperationsPerInvocation(TIMES)
  public void product() {
    owned.repeat(TIMES, _ -> LayerOps.products(input, Optional.empty(), List.of(weight))[0]);
  }
}
