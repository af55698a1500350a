package dev.vllmmlx.bench;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.CpuPrimitives;
import dev.vllmmlx.mlx.array.Device;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.MlxThread;
import dev.vllmmlx.mlx.array.Scope;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * An MLX thread with arrays that live as long as a benchmark. JMH's thread may not call MLX, and
 * asking another thread takes as long as a small operation: so {@link #repeat} asks once for many.
 */
final class Owned implements AutoCloseable {

  private final MlxThread thread = MlxThread.start("jmh", Device.CPU);
  private final Scope scope = thread.call(Mlx::detachedScope);

  Owned() {
    CpuPrimitives.setThreads(Integer.getInteger("threads", 0));
  }

  /** Makes something; the arrays that it is made of are kept. */
  <T> T make(Supplier<T> maker) {
    return thread.call(
        () -> {
          try (var making = Mlx.scope()) {
            var made = maker.get();
            making.moveTo(scope);
            return made;
          }
        });
  }

  /**
   * Computes so many times, each from scratch.
   *
   * @param operation is given the scope of what is kept, where it may put arrays in others' places
   */
  void repeat(int times, Function<Scope, Array> operation) {
    thread.call(
        () -> {
          for (var i = 0; i < times; i++) {
            try (var _ = Mlx.scope()) {
              Mlx.eval(operation.apply(scope));
            }
          }
          return null;
        });
  }

  @Override
  public void close() {
    thread.call(
        () -> {
          scope.close();
          return null;
        });
    thread.close();
  }
}
