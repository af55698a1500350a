package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.mlx.sequence.EventOutlet;
import dev.vllmmlx.mlx.sequence.Sequence;
import dev.vllmmlx.mlx.sequence.SequenceLimits;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.EngineStatus;
import dev.vllmmlx.spi.Generation;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.GenerationSink;
import dev.vllmmlx.spi.ModelInfo;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.text.answer.AnswerFormat;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.util.Comparator;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An engine whose requests are admitted on the caller's thread, rendered and tokenized on virtual
 * threads, wait in a fair queue, and are computed by an {@link EngineLoop}.
 */
public final class QueuedEngine implements Engine {
  private static final Logger LOG = LoggerFactory.getLogger(QueuedEngine.class);

  private final ModelInfo model;
  private final Tokenizer tokenizer;
  private final PromptEncoder prompts;
  private final AnswerPlanner answers;
  private final SequenceLimits limits;
  private final int maxQueue;
  private final int capacity;
  private final FairQueue<Job> queue;
  private final EngineLoop<?> loop;
  private final Set<Job> jobs = ConcurrentHashMap.newKeySet();
  private final AtomicInteger admitted = new AtomicInteger();
  private final AtomicLong tickets = new AtomicLong();
  private volatile boolean closed;

  /**
   * @param format how the model writes its answers
   * @param loop started; this engine closes it
   * @param maxQueue requests that may wait beside those that run
   * @param maxRunning requests that the loop computes at the same time
   */
  public QueuedEngine(
      ModelInfo model,
      Tokenizer tokenizer,
      PromptEncoder prompts,
      AnswerFormat format,
      EngineLoop<?> loop,
      int maxQueue,
      int maxRunning) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.prompts = prompts;
    this.answers = new AnswerPlanner(tokenizer, format);
    this.limits = new SequenceLimits(model.contextLength(), model.vocabularySize());
    this.queue = loop.queue();
    this.loop = loop;
    this.maxQueue = maxQueue;
    this.capacity = maxQueue + maxRunning;
    loop.whenEnded(() -> jobs.forEach(job -> job.abandon(loop.unavailable())));
  }

  @Override
  public ModelInfo model() {
    return model;
  }

  @Override
  public Generation generate(GenerationRequest request, GenerationSink sink) {
    Objects.requireNonNull(request);
    Objects.requireNonNull(sink);
    var refusal = admit(request);
    if (refusal != null) {
      new EventOutlet(request.id(), sink, () -> {}).send(new GenerationEvent.Failed(refusal));
      return () -> {};
    }
    var job = new Job(request, sink, tickets.getAndIncrement(), this::ended);
    jobs.add(job);
    if (closed) {
      job.failWaiting(loop.unavailable());
    } else {
      Thread.startVirtualThread(() -> prepare(job));
    }
    return job;
  }

  /** Takes a place for the request, or says why there is none. */
  private EngineException admit(GenerationRequest request) {
    if (closed || loop.failure().isPresent()) {
      return loop.unavailable();
    }
    if (admitted.incrementAndGet() > capacity) {
      admitted.decrementAndGet();
      return new EngineException.Overloaded(
          "%d requests are waiting, and there is no room for more".formatted(maxQueue),
          loop.meanTime());
    }
    return null;
  }

  private void prepare(Job job) {
    try {
      var request = job.request();
      job.prepared(sequence(job));
      if (!queue.add(request.priority(), request.tenant(), job.ticket(), job)) {
        job.failWaiting(loop.unavailable());
      } else if (job.endedWaiting()) {
        // Cancelled while it was on its way into the queue.
        queue.removeIf(waiting -> waiting == job);
      }
    } catch (EngineException e) {
      job.failWaiting(e);
    } catch (RuntimeException | Error e) {
      LOG.error("request {} could not be prepared", job.request().id(), e);
      job.failWaiting(
          new EngineException.Internal("the prompt of this request could not be prepared", e));
    }
  }

  private Sequence sequence(Job job) {
    var request = job.request();
    var prompt = prompts.encode(request.prompt());
    var rules = answers.rules(request, prompt.thinking());
    try {
      return new Sequence(
          request, prompt.ids(), limits, tokenizer, rules, job.events(), job.arrived());
    } catch (RuntimeException e) {
      rules.close();
      throw e;
    }
  }

  private void ended(Job job) {
    job.free();
    admitted.decrementAndGet();
    jobs.remove(job);
    queue.removeIf(waiting -> waiting == job);
  }

  @Override
  public EngineStatus status() {
    var total = admitted.get();
    var running = Math.min(loop.running(), total);
    var failure = loop.failure();
    var state =
        closed
            ? EngineStatus.State.CLOSED
            : failure.isPresent() ? EngineStatus.State.FAILED : EngineStatus.State.READY;
    return new EngineStatus(
        state,
        closed ? "the engine is closed" : failure.orElse(""),
        loop.sinceAlive(),
        running,
        total - running,
        loop.gauges(),
        jobs.stream().sorted(Comparator.comparingLong(Job::ticket)).map(Job::progress).toList());
  }

  @Override
  public int[] tokenize(Prompt prompt) {
    var ids = prompts.encode(prompt).ids();
    limits.checkIds("prompt", ids);
    return ids;
  }

  @Override
  public String detokenize(int[] tokens) {
    limits.checkIds("tokens", tokens);
    return tokenizer.decode(tokens, false);
  }

  @Override
  public void close() {
    closed = true;
    jobs.forEach(job -> job.failWaiting(loop.unavailable()));
    loop.close();
    answers.close();
  }
}
