package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.mlx.cache.PromptCache;
import dev.vllmmlx.mlx.sequence.Sequence;
import dev.vllmmlx.spi.EngineException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Computes one job at a time, and keeps the KV caches of some chats for their next turn. An Error
 * ends the job that it happened to, as an exception does: the heap or the stack may do for the
 * next.
 */
final class OneAtATime implements JobRunner<ModelRunner> {
  private static final Logger LOG = LoggerFactory.getLogger(OneAtATime.class);

  /** Polls of half a second without a job before the model rests. */
  private static final int POLLS_BEFORE_REST = 4;

  private final SimpleEngineSettings settings;
  private volatile Map<String, Double> modelGauges = Map.of();
  private volatile ModelRunner model;
  private volatile boolean busy;
  private volatile int cachedTokens;
  private volatile long cachedBytes;

  OneAtATime(SimpleEngineSettings settings) {
    this.settings = settings;
  }

  @Override
  public void loaded(ModelRunner model) {
    this.model = model;
  }

  @Override
  public void run(ModelRunner model, EngineLoop<ModelRunner> loop) throws InterruptedException {
    var decoding = new DecodeLoop(settings.prefillChunk(), model.vocabularySize());
    try (var cache =
        new PromptCache<ModelState>(settings.promptCaches(), settings.promptCacheBytes())) {
      var polls = 0;
      while (!loop.closing()) {
        loop.beat();
        var job = loop.queue().poll(500, TimeUnit.MILLISECONDS);
        polls = job.isPresent() ? 0 : polls + 1;
        if (polls == POLLS_BEFORE_REST) {
          model.rest();
        }
        if (job.isPresent() && job.get().take()) {
          busy = true;
          try {
            compute(job.get(), loop, decoding, cache);
          } finally {
            busy = false;
          }
          cachedTokens = cache.tokens();
          cachedBytes = cache.bytes();
        }
      }
    } finally {
      modelGauges = model.gauges();
      this.model = null;
    }
  }

  private void compute(
      Job job, EngineLoop<ModelRunner> loop, DecodeLoop decoding, PromptCache<ModelState> cache) {
    var sequence = job.sequence();
    var tenant = job.request().tenant();
    var began = System.nanoTime();
    ModelState state = null;
    try {
      state =
          cache
              .take(tenant, sequence.tokens(0, sequence.promptLength()))
              .orElseGet(model::newState);
      var computing = state;
      decoding.run(
          sequence,
          state,
          () -> {
            job.computed(computing.length());
            return goesOn(job, sequence, loop);
          });
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
    }
    loop.took(Duration.ofNanos(System.nanoTime() - began));
  }

  /** A state that failed may fail once more when it is freed; the engine goes on all the same. */
  private static void close(ModelState state) {
    try {
      if (state != null) {
        state.close();
      }
    } catch (RuntimeException | Error e) {
      LOG.error("what a failed request held could not be freed", e);
    }
  }

  private static boolean goesOn(Job job, Sequence sequence, EngineLoop<ModelRunner> loop) {
    loop.beat();
    loop.queue().removeIf(Job::overdue).forEach(Job::cancel);
    if (loop.closing()) {
      sequence.fail(loop.unavailable());
    } else if (job.unwanted()) {
      sequence.cancel();
    }
    return !sequence.ended();
  }

  @Override
  public int running() {
    return busy ? 1 : 0;
  }

  @Override
  public Map<String, Double> gauges() {
    var open = model;
    var gauges = new HashMap<>(open == null ? modelGauges : open.gauges());
    gauges.put("cached_tokens", (double) cachedTokens);
    gauges.put("cached_bytes", (double) cachedBytes);
    return gauges;
  }
}
