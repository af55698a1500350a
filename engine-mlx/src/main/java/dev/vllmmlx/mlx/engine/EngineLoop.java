package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.mlx.array.MlxThread;
import dev.vllmmlx.mlx.sequence.Sequence;
import dev.vllmmlx.spi.EngineException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that owns the model: it loads it, computes the jobs of a queue one after another,
 * and frees it. Everything else here may be called from any thread.
 */
final class EngineLoop {
  private static final Logger LOG = LoggerFactory.getLogger(EngineLoop.class);

  /** How much the latest job counts in the mean duration. */
  private static final double LATEST = 0.2;

  /** Polls of half a second without a job before the model rests. */
  private static final int POLLS_BEFORE_REST = 4;

  private final FairQueue<Job> queue;
  private final SimpleEngineSettings settings;
  private final CompletableFuture<ModelRunner> loaded = new CompletableFuture<>();
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private volatile long lastAlive = System.nanoTime();
  private volatile boolean closing;
  private volatile boolean busy;
  private volatile Optional<String> failure = Optional.empty();
  private volatile int cachedTokens;
  private volatile long cachedBytes;
  private volatile double meanSeconds = 1;
  private MlxThread thread;

  EngineLoop(FairQueue<Job> queue, SimpleEngineSettings settings) {
    this.queue = queue;
    this.settings = settings;
  }

  /**
   * Starts the thread and waits until it has loaded the model.
   *
   * @param loader called on that thread
   * @throws Exception what the loader threw; the thread has ended then
   */
  ModelRunner start(Callable<ModelRunner> loader) throws Exception {
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

  private void own(Callable<ModelRunner> loader) {
    try (var runner = loader.call()) {
      loaded.complete(runner);
      serve(runner);
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

  private void serve(ModelRunner runner) throws InterruptedException {
    var loop = new DecodeLoop(settings.prefillChunk(), runner.vocabularySize());
    try (var cache = new PromptCache(settings.promptCaches(), settings.promptCacheBytes())) {
      var polls = 0;
      while (!closing) {
        beat();
        var job = queue.poll(500, TimeUnit.MILLISECONDS);
        polls = job.isPresent() ? 0 : polls + 1;
        if (polls == POLLS_BEFORE_REST) {
          runner.rest();
        }
        if (job.isPresent() && job.get().take()) {
          busy = true;
          try {
            compute(job.get(), runner, loop, cache);
          } finally {
            busy = false;
          }
          cachedTokens = cache.tokens();
          cachedBytes = cache.bytes();
        }
      }
    }
  }

  private void compute(Job job, ModelRunner runner, DecodeLoop loop, PromptCache cache) {
    var sequence = job.sequence();
    var tenant = job.request().tenant();
    var began = System.nanoTime();
    ModelState state = null;
    try {
      state =
          cache
              .take(tenant, sequence.tokens(0, sequence.promptLength()))
              .orElseGet(runner::newState);
      loop.run(sequence, state, () -> goesOn(job, sequence));
      if (state.length() > 0) {
        cache.put(tenant, sequence.tokens(0, state.length()), state);
      } else {
        state.close();
      }
    } catch (RuntimeException | Error e) {
      LOG.error("request {} failed", job.request().id(), e);
      sequence.fail(
          e instanceof EngineException known
              ? known
              : new EngineException.Internal("the model could not compute this request", e));
      close(state);
      if (e instanceof Error fatal) {
        throw fatal;
      }
    }
    var seconds = (System.nanoTime() - began) / 1e9;
    meanSeconds = meanSeconds + LATEST * (seconds - meanSeconds);
  }

  /** A state that failed may fail once more when it is freed; the engine goes on all the same. */
  private static void close(ModelState state) {
    try {
      if (state != null) {
        state.close();
      }
    } catch (RuntimeException e) {
      LOG.error("what a failed request held could not be freed", e);
    }
  }

  private boolean goesOn(Job job, Sequence sequence) {
    beat();
    queue.removeIf(Job::overdue).forEach(Job::cancel);
    if (closing) {
      sequence.fail(unavailable());
    } else if (job.unwanted()) {
      sequence.cancel();
    }
    return !sequence.ended();
  }

  private void beat() {
    lastAlive = System.nanoTime();
  }

  /** Ends what runs and waits, and returns when the model is freed. */
  void close() {
    closing = true;
    queue.close().forEach(job -> job.failWaiting(unavailable()));
    ended.join();
    thread.close();
  }

  /** What a request is told that this engine cannot serve any more. */
  EngineException.Unavailable unavailable() {
    return new EngineException.Unavailable(failure.orElse("the engine is closed"));
  }

  /** Why the thread ended, if nobody asked it to. */
  Optional<String> failure() {
    return failure;
  }

  /** Whether a job is being computed. */
  boolean busy() {
    return busy;
  }

  Duration sinceAlive() {
    return Duration.ofNanos(System.nanoTime() - lastAlive);
  }

  /** How long a request took of late, in whole seconds: after about so long there is room again. */
  Duration meanTime() {
    return Duration.ofSeconds((long) Math.clamp(Math.ceil(meanSeconds), 1, 60));
  }

  Map<String, Double> gauges() {
    var gauges = new HashMap<String, Double>();
    gauges.put("cached_tokens", (double) cachedTokens);
    gauges.put("cached_bytes", (double) cachedBytes);
    if (loaded.isDone() && !loaded.isCompletedExceptionally()) {
      gauges.putAll(loaded.join().gauges());
    }
    return gauges;
  }
}
