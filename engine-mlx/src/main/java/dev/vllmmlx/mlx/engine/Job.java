package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.mlx.sequence.EventOutlet;
import dev.vllmmlx.mlx.sequence.Sequence;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.Generation;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.GenerationSink;
import dev.vllmmlx.spi.RequestProgress;
import dev.vllmmlx.spi.Timings;
import dev.vllmmlx.spi.Usage;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * One accepted request. While it waits, whoever ends it first does so at once, on any thread; from
 * the moment the engine's thread has taken it, it ends there.
 */
public final class Job implements Generation {

  private enum State {
    WAITING,
    TAKEN,
    ENDED
  }

  private final GenerationRequest request;
  private final EventOutlet events;
  private final long ticket;
  private final long arrived = System.nanoTime();
  private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
  private volatile Sequence sequence;
  private volatile boolean cancelled;
  private volatile int computed;

  /**
   * @param ticket the higher the later it came
   * @param ended called once, just before the terminal event
   */
  Job(GenerationRequest request, GenerationSink sink, long ticket, Consumer<Job> ended) {
    this.request = request;
    this.events = new EventOutlet(request.id(), sink, () -> ended.accept(this));
    this.ticket = ticket;
  }

  public GenerationRequest request() {
    return request;
  }

  EventOutlet events() {
    return events;
  }

  public long ticket() {
    return ticket;
  }

  /** When it came, by {@link System#nanoTime}. */
  long arrived() {
    return arrived;
  }

  /** It can be computed from now on, unless it has ended meanwhile. */
  void prepared(Sequence sequence) {
    this.sequence = sequence;
    if (endedWaiting()) {
      sequence.close();
    }
  }

  /** It has ended: what its answer's rules hold is freed. */
  void free() {
    if (sequence != null) {
      sequence.close();
    }
  }

  /** What is to be computed, after {@link #prepared}. */
  public Sequence sequence() {
    return sequence;
  }

  /** Notes how many of its tokens have their keys and values in a cache. */
  public void computed(int tokens) {
    computed = tokens;
  }

  /** How far it has come; any thread. */
  RequestProgress progress() {
    var answered = sequence;
    var prompt = answered == null ? 0 : answered.promptLength();
    var generated = answered == null ? 0 : answered.length() - prompt;
    var phase =
        state.get() != State.TAKEN
            ? RequestProgress.Phase.WAITING
            : generated == 0 ? RequestProgress.Phase.PREFILL : RequestProgress.Phase.DECODE;
    return new RequestProgress(
        request.id(),
        request.choice(),
        phase,
        prompt,
        Math.min(computed, prompt),
        generated,
        sinceArrival());
  }

  /** Begins its turn; false if it has ended meanwhile. */
  public boolean take() {
    return state.compareAndSet(State.WAITING, State.TAKEN);
  }

  /** Whether it ended before its turn. */
  boolean endedWaiting() {
    return state.get() == State.ENDED;
  }

  @Override
  public void cancel() {
    cancelled = true;
    if (state.compareAndSet(State.WAITING, State.ENDED)) {
      var waited = new Timings(sinceArrival(), Duration.ZERO, Duration.ZERO);
      var prompt = sequence == null ? 0 : sequence.promptLength();
      events.send(
          new GenerationEvent.Finished(
              FinishReason.CANCELLED, Optional.empty(), new Usage(prompt, 0, 0), waited));
    }
  }

  /** Ends it by a fault if it waits still. */
  public void failWaiting(EngineException error) {
    if (state.compareAndSet(State.WAITING, State.ENDED)) {
      events.send(new GenerationEvent.Failed(error));
    }
  }

  /** Ends it by a fault, whatever it does; only when the engine's thread computes no more. */
  void abandon(EngineException error) {
    state.set(State.ENDED);
    events.send(new GenerationEvent.Failed(error));
  }

  /** Whether it should be cancelled: somebody said so, its time is over, or nobody listens. */
  public boolean unwanted() {
    return cancelled || overdue() || events.broken();
  }

  /** Whether its deadline has passed. */
  public boolean overdue() {
    return request.deadline().isPresent() && !Instant.now().isBefore(request.deadline().get());
  }

  Duration sinceArrival() {
    return Duration.ofNanos(System.nanoTime() - arrived);
  }
}
