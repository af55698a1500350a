package dev.vllmmlx.mlx.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationEvent.Delta;
import dev.vllmmlx.spi.GenerationEvent.Failed;
import dev.vllmmlx.spi.GenerationEvent.Finished;
import dev.vllmmlx.spi.GenerationEvent.Started;
import dev.vllmmlx.spi.GenerationEvent.Terminal;
import dev.vllmmlx.spi.GenerationSink;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A sink that remembers, and can be waited for. */
final class Heard implements GenerationSink {
  private final List<GenerationEvent> events = new CopyOnWriteArrayList<>();
  private final CountDownLatch firstToken = new CountDownLatch(1);
  private final CountDownLatch end = new CountDownLatch(1);

  @Override
  public void accept(GenerationEvent event) {
    events.add(event);
    if (event instanceof Delta) {
      firstToken.countDown();
    }
    if (event instanceof Terminal) {
      end.countDown();
    }
  }

  List<GenerationEvent> events() {
    return events;
  }

  void awaitFirstToken() throws InterruptedException {
    assertThat(firstToken.await(20, TimeUnit.SECONDS)).as("a token came").isTrue();
  }

  Heard awaitEnd() throws InterruptedException {
    assertThat(end.await(60, TimeUnit.SECONDS)).as("it ended").isTrue();
    assertThat(events.stream().filter(Terminal.class::isInstance)).hasSize(1);
    assertThat(events.getLast()).isInstanceOf(Terminal.class);
    return this;
  }

  boolean ended() {
    return end.getCount() == 0;
  }

  String text() {
    return events.stream()
        .filter(Delta.class::isInstance)
        .map(event -> ((Delta) event).text())
        .collect(Collectors.joining());
  }

  int tokens() {
    return events.stream()
        .filter(Delta.class::isInstance)
        .mapToInt(event -> ((Delta) event).tokens())
        .sum();
  }

  Started started() {
    return (Started) events.getFirst();
  }

  Finished finished() throws InterruptedException {
    awaitEnd();
    if (events.getLast() instanceof Failed(var error)) {
      throw new AssertionError("it failed", error);
    }
    return (Finished) events.getLast();
  }

  FinishReason reason() throws InterruptedException {
    return finished().reason();
  }

  <E extends EngineException> E failure(Class<E> kind) throws InterruptedException {
    awaitEnd();
    assertThat(events.getLast()).isInstanceOf(Failed.class);
    var error = ((Failed) events.getLast()).error();
    assertThat(error).isInstanceOf(kind);
    return kind.cast(error);
  }
}
