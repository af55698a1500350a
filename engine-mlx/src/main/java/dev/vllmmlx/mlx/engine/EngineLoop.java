package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.mlx.array.MlxThread;
import dev.vllmmlx.spi.EngineException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that owns the model: it loads it, lets a {@link JobRunner} compute the jobs of a
 * queue, and frees it. Everything else here may be called from any thread, but for what says
 * otherwise.
 *
 * @param <M> the model as the runner wants it
 */
public final class EngineLoop<M extends AutoCloseable> {
  private static final Logger LOG = LoggerFactory.getLogger(EngineLoop.class);

  /** How much the latest job counts in the mean duration. */
  private static final double LATEST = 0.2;

  private final FairQueue<Job> queue;
  private final JobRunner<M> runner;
  private final CompletableFuture<M> loaded = new CompletableFuture<>();
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private volatile long lastAlive = System.nanoTime();
  private volatile boolean closing;
  private volatile Optional<String> failure = Optional.empty();
  private volatile double meanSeconds = 1;
  private MlxThread thread;

  public EngineLoop(FairQueue<Job> queue, JobRunner<M> runner) {
    this.queue = queue;
    this.runner = runner;
  }

  /**
   * Starts the thread and waits until it has loaded the model.
   *
   * @param loader called on that thread
   * @throws Exception what the loader threw; the thread has ended then
   */
  public M start(Callable<M> loader) throws Exception {
    thread = MlxThread.start("mlx-engine");
    thread.submit(
        () -> {
          own(loader);
          return null;
        });
    try {
      return loaded.get();
    } catch (InterruptedException e) {
      closing = true;
      throw e;
    } catch (ExecutionException e) {
      ended.join();
      thread.close();
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }

  private void own(Callable<M> loader) {
    try (var model = loader.call()) {
      runner.loaded(model);
      loaded.complete(model);
      runner.run(model, this);
    } catch (Throwable t) {
      if (!loaded.completeExceptionally(t)) {
        LOG.error("the engine's thread ended", t);
        failure = Optional.of("the engine's thread ended: " + t);
      }
    } finally {
      queue.close().forEach(job -> job.failWaiting(unavailable()));
      ended.complete(null);
    }
  }

  /** What the runner takes its jobs from. */
  public FairQueue<Job> queue() {
    return queue;
  }

  /** The runner says that it is alive: at each pass, and twice a second when idle. */
  public void beat() {
    lastAlive = System.nanoTime();
  }

  /** Whether the runner is to fail what it has, and return. */
  public boolean closing() {
    return closing;
  }

  /** The runner has ended a job that took so long. */
  public void took(Duration time) {
    meanSeconds += LATEST * (time.toNanos() / 1e9 - meanSeconds);
  }

  /**
   * Calls it on the loop's thread when that computes no more: whatever has not ended never will.
   */
  void whenEnded(Runnable action) {
    ended.thenRun(action);
  }

  /** Ends what runs and waits, and returns when the model is freed. */
  public void close() {
    closing = true;
    queue.close().forEach(job -> job.failWaiting(unavailable()));
    ended.join();
    thread.close();
  }

  /** What a request is told that this engine cannot serve any more. */
  public EngineException.Unavailable unavailable() {
    return new EngineException.Unavailable(failure.orElse("the engine is closed"));
  }

  /** Why the thread ended, if nobody asked it to. */
  Optional<String> failure() {
    return failure;
  }

  /** Jobs that are being computed. */
  int running() {
    return runner.running();
  }

  Duration sinceAlive() {
    return Duration.ofNanos(System.nanoTime() - lastAlive);
  }

  /** How long a request took of late, in whole seconds: after about so long there is room again. */
  Duration meanTime() {
    return Duration.ofSeconds((long) Math.clamp(Math.ceil(meanSeconds), 1, 60));
  }

  Map<String, Double> gauges() {
    return runner.gauges();
  }
}
