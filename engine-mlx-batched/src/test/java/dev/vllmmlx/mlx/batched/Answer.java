package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationSink;
import dev.vllmmlx.spi.TokenLogprob;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A sink that remembers an answer. */
final class Answer implements GenerationSink {
  private final List<GenerationEvent> events = new ArrayList<>();
  private final CountDownLatch firstToken = new CountDownLatch(1);
  private final CountDownLatch end = new CountDownLatch(1);

  @Override
  public synchronized void accept(GenerationEvent event) {
    events.add(event);
    if (event instanceof GenerationEvent.Delta) {
      firstToken.countDown();
    }
    if (event instanceof GenerationEvent.Terminal) {
      firstToken.countDown();
      end.countDown();
    }
  }

  Answer awaitFirstToken() throws InterruptedException {
    assertThat(firstToken.await(60, TimeUnit.SECONDS)).as("a token came").isTrue();
    return this;
  }

  Answer awaitEnd() throws InterruptedException {
    assertThat(end.await(240, TimeUnit.SECONDS)).as("it ended").isTrue();
    return this;
  }

  boolean ended() {
    return end.getCount() == 0;
  }

  synchronized String text() {
    var text = new StringBuilder();
    for (var event : events) {
      if (event instanceof GenerationEvent.Delta delta) {
        text.append(delta.text());
      }
    }
    return text.toString();
  }

  synchronized List<GenerationEvent.Delta> deltas() {
    return events.stream()
        .filter(GenerationEvent.Delta.class::isInstance)
        .map(GenerationEvent.Delta.class::cast)
        .toList();
  }

  /** A token and its likelihood, to the last bit. */
  record Scored(int id, float logprob) {}

  synchronized List<Scored> tokens() {
    var all = new ArrayList<Scored>();
    for (var event : events) {
      if (event instanceof GenerationEvent.Delta delta) {
        for (TokenLogprob each : delta.logprobs()) {
          all.add(new Scored(each.token().id(), each.token().logprob()));
        }
      }
    }
    return all;
  }

  synchronized GenerationEvent.Started started() {
    return (GenerationEvent.Started) events.getFirst();
  }

  GenerationEvent.Finished finished() throws InterruptedException {
    awaitEnd();
    synchronized (this) {
      if (events.getLast() instanceof GenerationEvent.Failed(var error)) {
        throw new AssertionError("it failed", error);
      }
      return (GenerationEvent.Finished) events.getLast();
    }
  }

  synchronized GenerationEvent.Failed failed() {
    assertThat(events.getLast()).isInstanceOf(GenerationEvent.Failed.class);
    return (GenerationEvent.Failed) events.getLast();
  }
}
