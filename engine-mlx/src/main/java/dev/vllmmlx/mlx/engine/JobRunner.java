package dev.vllmmlx.mlx.engine;

import java.util.Map;

/**
 * How an engine computes its jobs: one after another, or together.
 *
 * @param <M> the model as it wants it
 */
public interface JobRunner<M extends AutoCloseable> {

  /**
   * The model is there, and nobody has been told: lays out what {@link #gauges} shows from the
   * first moment on. On the loop's thread, once, before {@link #run}.
   */
  void loaded(M model);

  /**
   * Computes what the loop's queue gives until the loop is closing; then it frees what it holds and
   * returns. What it has begun and not ended is failed for it. On the loop's thread, once. A fault
   * of one job ends that job: what this method throws ends the engine.
   */
  void run(M model, EngineLoop<M> loop) throws InterruptedException;

  /** Jobs that are being computed; any thread. */
  int running();

  /** Figures for the engine's status; any thread. */
  Map<String, Double> gauges();
}
