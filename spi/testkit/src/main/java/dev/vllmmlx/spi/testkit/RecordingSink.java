package dev.vllmmlx.spi.testkit;

import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationSink;
import dev.vllmmlx.spi.TokenLogprob;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Keeps every event of one generation and lets a test wait for them. The sink may be called from
 * any thread.
 */
public final class RecordingSink implements GenerationSink {
  private final List<GenerationEvent> events = new ArrayList<>();

  @Override
  public synchronized void accept(GenerationEvent event) {
    events.add(event);
    notifyAll();
  }

  /** What came so far. */
  public synchronized List<GenerationEvent> events() {
    return List.copyOf(events);
  }

  /**
   * Waits for the terminal event.
   *
   * @throws AssertionError if none comes in time, with what came instead
   */
  public GenerationEvent.Terminal await(Duration patience) {
    return awaitThat(patience, "a terminal event", this::terminal);
  }

  /** Waits until so many deltas have come, or the terminal event. */
  public void awaitDeltas(int count, Duration patience) {
    awaitThat(
        patience,
        count + " deltas",
        () ->
            deltas().size() >= count || terminal().isPresent()
                ? Optional.of(true)
                : Optional.empty());
  }

  private synchronized <T> T awaitThat(
      Duration patience, String what, java.util.function.Supplier<Optional<T>> found) {
    var deadline = System.nanoTime() + patience.toNanos();
    try {
      for (var it = found.get(); ; it = found.get()) {
        if (it.isPresent()) {
          return it.get();
        }
        var left = deadline - System.nanoTime();
        if (left <= 0) {
          throw new AssertionError(
              "within %s there was no %s, but %s".formatted(patience, what, events));
        }
        wait(left / 1_000_000 + 1);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while waiting for " + what, e);
    }
  }

  private synchronized Optional<GenerationEvent.Terminal> terminal() {
    return events.stream()
        .filter(GenerationEvent.Terminal.class::isInstance)
        .map(GenerationEvent.Terminal.class::cast)
        .findFirst();
  }

  public synchronized List<GenerationEvent.Delta> deltas() {
    return events.stream()
        .filter(GenerationEvent.Delta.class::isInstance)
        .map(GenerationEvent.Delta.class::cast)
        .toList();
  }

  /** The answer: the texts of all deltas. */
  public String text() {
    return deltas().stream().map(GenerationEvent.Delta::text).collect(Collectors.joining());
  }

  /** The tokens that the deltas brought. */
  public int tokens() {
    return deltas().stream().mapToInt(GenerationEvent.Delta::tokens).sum();
  }

  public List<TokenLogprob> logprobs() {
    return deltas().stream().flatMap(delta -> delta.logprobs().stream()).toList();
  }
}
