package com.example.markov;

import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.Generation;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.GenerationSink;
import dev.vllmmlx.spi.Timings;
import dev.vllmmlx.spi.TokenLogprob;
import dev.vllmmlx.spi.Usage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** One answer as it grows. Its steps are the engine thread's; anyone may cancel it. */
final class Continuation implements Generation {
  private final GenerationRequest request;
  private final GenerationSink sink;
  private final Chain chain;
  private final List<Integer> tokens;
  private final int promptTokens;
  private final SplittableRandom random;
  private final long arrived = System.nanoTime();
  private final StringBuilder held = new StringBuilder();
  private long began;
  private int generated;
  private boolean ended;
  private volatile boolean cancelled;

  Continuation(GenerationRequest request, GenerationSink sink, String prompt, Chain chain) {
    this.request = request;
    this.sink = sink;
    this.chain = chain;
    this.tokens = new ArrayList<>(prompt.codePoints().boxed().toList());
    this.promptTokens = tokens.size();
    var seed = request.sampling().seed();
    this.random = seed.isPresent() ? new SplittableRandom(seed.getAsLong()) : new SplittableRandom();
  }

  int promptTokens() {
    return promptTokens;
  }

  @Override
  public void cancel() {
    cancelled = true;
  }

  /** One token more; false at the end. */
  boolean step(int context) {
    var overdue = request.deadline().filter(deadline -> Instant.now().isAfter(deadline)).isPresent();
    if (cancelled || overdue) {
      finish(FinishReason.CANCELLED, Optional.empty());
      return false;
    }
    if (began == 0) {
      began = System.nanoTime();
      send(new GenerationEvent.Started(promptTokens, 0));
    }
    var token = chain.next(tokens, request.sampling().temperature(), random);
    tokens.add(token);
    generated++;
    var stop = request.stop();
    var counts = generated > stop.minTokens();
    if (counts && stop.tokenIds().contains(token)) {
      delta(held.toString(), token);
      finish(FinishReason.STOP, Optional.of(Character.toString(token)));
      return false;
    }
    held.appendCodePoint(token);
    var found = counts ? stop.strings().stream().filter(s -> held.indexOf(s) >= 0).findFirst() : Optional.<String>empty();
    if (found.isPresent()) {
      delta(held.substring(0, held.indexOf(found.get())), token);
      finish(FinishReason.STOP, found);
      return false;
    }
    if (generated == stop.maxTokens() || tokens.size() == context) {
      delta(held.toString(), token);
      finish(FinishReason.LENGTH, Optional.empty());
      return false;
    }
    var safe = held.substring(0, held.length() - possibleBeginning());
    held.delete(0, safe.length());
    delta(safe, token);
    return !ended;
  }

  /** How much of the end of what is held may begin a stop string. */
  private int possibleBeginning() {
    var longest = 0;
    for (var stop : request.stop().strings()) {
      for (var n = Math.min(held.length(), stop.length() - 1); n > longest; n--) {
        if (stop.startsWith(held.substring(held.length() - n))) {
          longest = n;
        }
      }
    }
    return longest;
  }

  private void delta(String text, int token) {
    var logprobs =
        request.topLogprobs().isEmpty()
            ? List.<TokenLogprob>of()
            : List.of(
                new TokenLogprob(
                    new TokenLogprob.Candidate(
                        token, Character.toString(token).getBytes(StandardCharsets.UTF_8), 0),
                    List.of()));
    send(new GenerationEvent.Delta(text, 1, logprobs));
  }

  private void finish(FinishReason reason, Optional<String> stop) {
    var now = System.nanoTime();
    var start = began == 0 ? now : began;
    end(
        new GenerationEvent.Finished(
            reason,
            stop,
            new Usage(promptTokens, 0, generated),
            new Timings(
                Duration.ofNanos(start - arrived), Duration.ZERO, Duration.ofNanos(now - start))));
  }

  /** Ends it, once. */
  synchronized void end(GenerationEvent.Terminal event) {
    if (!ended) {
      ended = true;
      send(event);
    }
  }

  private void send(GenerationEvent event) {
    try {
      sink.accept(event);
    } catch (RuntimeException _) {
      cancelled = true; // nobody listens
    }
  }
}
