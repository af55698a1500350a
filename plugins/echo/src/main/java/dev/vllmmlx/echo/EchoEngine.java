package dev.vllmmlx.echo;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.EngineStatus;
import dev.vllmmlx.spi.Generation;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.GenerationSink;
import dev.vllmmlx.spi.ModelInfo;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.RequestProgress;
import dev.vllmmlx.spi.Sampling;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * Answers every running request a token at a time, in turn, on one thread. Requests reach it by a
 * queue; cancellation and deadlines take effect at the next step.
 */
final class EchoEngine implements Engine {
  private static final long IDLE_MILLIS = 250;

  private final EchoSettings settings;
  private final ModelInfo model;
  private final PriorityBlockingQueue<Echo> waiting =
      new PriorityBlockingQueue<>(
          16,
          Comparator.comparingInt((Echo echo) -> -echo.request().priority())
              .thenComparingLong(Echo::ticket));
  private final AtomicInteger admitted = new AtomicInteger();
  private final AtomicLong tickets = new AtomicLong();
  // Of the engine's thread; others may look on.
  private final List<Echo> active = new CopyOnWriteArrayList<>();
  private final Thread thread;
  private volatile int running;
  private volatile long lastAlive = System.nanoTime();
  private volatile boolean closed;

  EchoEngine(EchoSettings settings) {
    this.settings = settings;
    this.model =
        new ModelInfo(
            settings.model(),
            settings.contextLength(),
            Vocabulary.SIZE,
            Set.of(ModelInfo.Modality.TEXT),
            new ModelInfo.TemplateCapabilities(
                true, true, false, Optional.empty(), Optional.of("hermes")),
            new Sampling(1, 1, 0, 0, 1, 0, 0, Map.of(), OptionalLong.empty()),
            Instant.EPOCH);
    this.thread = Thread.ofPlatform().name("echo-engine").daemon().start(this::serve);
  }

  @Override
  public ModelInfo model() {
    return model;
  }

  @Override
  public Generation generate(GenerationRequest request, GenerationSink sink) {
    Objects.requireNonNull(request);
    Objects.requireNonNull(sink);
    var echo = new Echo(request, sink, tickets.getAndIncrement());
    try {
      admit(echo);
    } catch (EngineException e) {
      echo.send(new GenerationEvent.Failed(e));
      return () -> {};
    }
    waiting.add(echo);
    if (closed) {
      // The thread may have emptied the queue for the last time before this request was in it.
      waiting.remove(echo);
      echo.end(new GenerationEvent.Failed(unavailable()));
    }
    return echo;
  }

  private void admit(Echo echo) {
    if (closed) {
      throw unavailable();
    }
    var request = echo.request();
    var mayBeText =
        request.constraint() instanceof Constraint.None
            || (request.constraint() instanceof Constraint.ToolCalls calls && !calls.required());
    if (!mayBeText) {
      throw new EngineException.InvalidRequest(
          "constraint", "this engine cannot constrain an answer's text");
    }
    var prompt = Vocabulary.encode(request.prompt());
    if (prompt.length >= settings.contextLength()) {
      throw new EngineException.ContextExceeded(prompt.length, settings.contextLength());
    }
    if (admitted.incrementAndGet() > settings.maxQueue() + settings.maxRunning()) {
      admitted.decrementAndGet();
      throw new EngineException.Overloaded(
          "%d requests are waiting, and there is no room for more".formatted(settings.maxQueue()),
          Duration.ofSeconds(1));
    }
    var words = Vocabulary.encode(Vocabulary.text(request.prompt()));
    echo.accepted(new Answer(request, prompt, words, settings.contextLength()), admitted);
  }

  private void serve() {
    while (!closed) {
      lastAlive = System.nanoTime();
      takeUp();
      running = active.size();
      active.removeIf(Echo::step);
      if (!active.isEmpty()) {
        pause();
      }
    }
    waiting.drainTo(active);
    active.forEach(echo -> echo.end(new GenerationEvent.Failed(unavailable())));
  }

  private void takeUp() {
    try {
      if (active.isEmpty()) {
        var first = waiting.poll(IDLE_MILLIS, TimeUnit.MILLISECONDS);
        if (first != null) {
          active.add(first);
        }
      }
      while (active.size() < settings.maxRunning() && !waiting.isEmpty()) {
        active.add(waiting.take());
      }
    } catch (InterruptedException _) {
      // Closing wakes the thread up.
    }
    // Those that wait for long may be cancelled or overdue meanwhile.
    for (var echo : waiting) {
      if (echo.isUnwanted() && waiting.remove(echo)) {
        echo.step();
      }
    }
  }

  private void pause() {
    if (settings.tokensPerSecond() > 0) {
      try {
        Thread.sleep(Duration.ofNanos((long) (1e9 / settings.tokensPerSecond())));
      } catch (InterruptedException _) {
        // Closing wakes the thread up.
      }
    }
  }

  @Override
  public EngineStatus status() {
    var now = running;
    return new EngineStatus(
        closed ? EngineStatus.State.CLOSED : EngineStatus.State.READY,
        closed ? "the engine is closed" : "",
        Duration.ofNanos(System.nanoTime() - lastAlive),
        now,
        Math.max(0, admitted.get() - now),
        Map.of(),
        progress());
  }

  private List<RequestProgress> progress() {
    // In this order: one that is taken up meanwhile is seen twice rather than not at all.
    return Stream.concat(List.copyOf(waiting).stream(), active.stream())
        .distinct()
        .sorted(Comparator.comparingLong(Echo::ticket))
        .map(Echo::progress)
        .toList();
  }

  @Override
  public int[] tokenize(Prompt prompt) {
    return Vocabulary.encode(prompt);
  }

  @Override
  public String detokenize(int[] tokens) {
    return Vocabulary.decode(tokens);
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static EngineException unavailable() {
    return new EngineException.Unavailable("the engine is closed");
  }
}
