package dev.vllmmlx.echo;

import dev.vllmmlx.spi.Generation;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.GenerationSink;
import dev.vllmmlx.spi.RequestProgress;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** One request under way. Its steps are the engine thread's; anyone may cancel it. */
final class Echo implements Generation {
  private final GenerationRequest request;
  private final GenerationSink sink;
  private final long ticket;
  private final AtomicBoolean ended = new AtomicBoolean();
  private Answer answer;
  private AtomicInteger places;
  private boolean started;
  private volatile boolean cancelled;

  Echo(GenerationRequest request, GenerationSink sink, long ticket) {
    this.request = request;
    this.sink = sink;
    this.ticket = ticket;
  }

  GenerationRequest request() {
    return request;
  }

  /** The higher the later it came. */
  long ticket() {
    return ticket;
  }

  /** It has a place, which it gives back at its end. */
  void accepted(Answer itsAnswer, AtomicInteger itsPlaces) {
    answer = itsAnswer;
    places = itsPlaces;
  }

  RequestProgress progress() {
    return answer.progress();
  }

  @Override
  public void cancel() {
    cancelled = true;
  }

  boolean isUnwanted() {
    return cancelled
        || request.deadline().filter(deadline -> Instant.now().isAfter(deadline)).isPresent();
  }

  /** One token more; true at the end. */
  boolean step() {
    if (isUnwanted()) {
      end(answer.cancelled());
      return true;
    }
    if (!started) {
      started = true;
      send(answer.start());
    }
    for (var event : answer.step()) {
      if (event instanceof GenerationEvent.Terminal terminal) {
        end(terminal);
      } else {
        send(event);
      }
    }
    return ended.get();
  }

  /** Ends it, the first time that it is called. */
  void end(GenerationEvent.Terminal event) {
    if (ended.compareAndSet(false, true)) {
      places.decrementAndGet();
      send(event);
    }
  }

  void send(GenerationEvent event) {
    try {
      sink.accept(event);
    } catch (RuntimeException _) {
      // Nobody listens any more: the same as cancelled.
      cancelled = true;
    }
  }
}
