package dev.vllmmlx.bench;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.array.LayerOps;
import dev.vllmmlx.mlx.array.Mlx;
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

/** A decode step's attention in one of SmolLM2's layers: rotate, write to the cache, attend. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED"})
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class AttentionBenchmark {

  private static final int TIMES = 16;
  private static final int HEADS = 9;
  private static final int KV_HEADS = 3;
  private static final int HEAD_DIM = 64;

  private static final LayerOps.Rotation ROTATION =
      new LayerOps.Rotation(HEAD_DIM, false, 100_000, 1, null, 1);
  private static final LayerOps.AttentionPlan PLAN =
      new LayerOps.AttentionPlan(
          HEADS, KV_HEADS, HEAD_DIM, (float) (1 / Math.sqrt(HEAD_DIM)), 0, ROTATION, null, null);

  /** Tokens in the cache, the new one included. */
  @Param({"128", "1024", "4096"})
  public int context;

  private Owned owned;
  private Array queries;
  private Array keys;
  private Array values;
  private Array keyMemory;
  private Array valueMemory;
  private LayerOps.RowPlaces places;

  @Setup
  public void make() {
    owned = new Owned();
    queries = row(1, HEADS);
    keys = row(2, KV_HEADS);
    values = row(3, KV_HEADS);
    keyMemory = memory(4);
    valueMemory = memory(5);
    places =
        owned.make(
            () -> {
              var positions = Mlx.array(new int[] {context - 1}, 1);
              var angles = LayerOps.ropeAngles(positions, ROTATION);
              if (angles != null) {
                Mlx.eval(angles);
              }
              return new LayerOps.RowPlaces(context - 1, positions, null, null, angles);
            });
  }

  private Array row(int seed, int heads) {
    return random(seed, 1, heads * HEAD_DIM);
  }

  private Array memory(int seed) {
    return random(seed, 1, KV_HEADS, context, HEAD_DIM);
  }

  private Array random(int seed, int... shape) {
    return owned.make(
        () -> {
          var array = Mlx.randomUniform(seed, -1, 1, DType.FLOAT32, shape);
          Mlx.eval(array);
          return array;
        });
  }

  @TearDown
  public void end() {
    owned.close();
  }

  /** Each time the new row overwrites the former one, and the cache is given on as a layer's is. */
  @Benchmark
  @OperationsPerInvocation(TIMES)
  public void decode() {
    owned.repeat(
        TIMES,
        kept -> {
          var memory = new LayerOps.LayerMemory(keyMemory, valueMemory, places);
          var attended = LayerOps.cachedAttention(queries, keys, values, memory, PLAN);
          keyMemory = kept.replace(keyMemory, attended.keys());
          valueMemory = kept.replace(valueMemory, attended.values());
          return attended.mixed();
        });
  }
}
