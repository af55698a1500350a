package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.Generation;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Sampling;
import io.vertx.core.Context;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;

/**
 * One call under way: a generation for each choice, whose events it takes over from the engine's
 * thread and hands to the reply on the request's event loop. Every method but the engine's callback
 * runs on that loop.
 */
final class Run {

  /** An event of a choice. */
  private record Arrival(ChoiceState choice, GenerationEvent event) {}

  private final Context loop;
  private final Engine engine;
  private final Reply reply;
  private final Runnable onEnd;
  private final List<ChoiceState> choices = new ArrayList<>();
  private final List<Generation> generations = new ArrayList<>();

  // Guarded by itself: the engine's thread adds, the event loop takes all there is at once.
  private final Queue<Arrival> arrivals = new ArrayDeque<>();
  private boolean ended;
  private int open;

  Run(Context loop, Engine engine, Reply reply, Runnable onEnd) {
    this.loop = loop;
    this.engine = engine;
    this.reply = reply;
    this.onEnd = onEnd;
  }

  List<ChoiceState> choices() {
    return choices;
  }

  boolean isEnded() {
    return ended;
  }

  void start(Call call, String id, String tenant) {
    var deadline = call.timeout().map(timeout -> Instant.now().plus(timeout));
    for (var prompt = 0; prompt < call.prompts().size(); prompt++) {
      for (var i = 0; i < call.choices(); i++) {
        choices.add(new ChoiceState(choices.size(), prompt));
      }
    }
    open = choices.size();
    for (var choice : choices) {
      var request =
          new GenerationRequest(
              call.prompts().size() == 1 ? id : id + "-" + choice.promptIndex(),
              choice.index() % call.choices(),
              call.prompts().get(choice.promptIndex()),
              seeded(call.sampling(), choice.index()),
              call.stop(),
              new Constraint.None(),
              call.topLogprobs(),
              deadline,
              call.priority(),
              tenant);
      generations.add(engine.generate(request, event -> arrive(choice, event)));
      if (ended) {
        return;
      }
    }
  }

  /**
   * The client is gone, or has been told: whatever still generates stops, and nothing is heard of
   * it.
   */
  void cancel() {
    if (!ended) {
      ended = true;
      generations.forEach(Generation::cancel);
      onEnd.run();
    }
  }

  /** Ends the call with an error. */
  void abort(ApiError error) {
    if (!ended) {
      cancel();
      reply.failed(error);
    }
  }

  // Choices of one request must differ, and be the same again with the same seed.
  private static Sampling seeded(Sampling sampling, int choice) {
    if (choice == 0 || sampling.seed().isEmpty()) {
      return sampling;
    }
    return new Sampling(
        sampling.temperature(),
        sampling.topP(),
        sampling.topK(),
        sampling.minP(),
        sampling.repetitionPenalty(),
        sampling.presencePenalty(),
        sampling.frequencyPenalty(),
        sampling.logitBias(),
        OptionalLong.of(sampling.seed().getAsLong() + choice));
  }

  private void arrive(ChoiceState choice, GenerationEvent event) {
    synchronized (arrivals) {
      arrivals.add(new Arrival(choice, event));
      if (arrivals.size() > 1) {
        return; // The loop has been called already.
      }
    }
    loop.runOnContext(_ -> takeArrivals());
  }

  private void takeArrivals() {
    List<Arrival> batch;
    synchronized (arrivals) {
      batch = List.copyOf(arrivals);
      arrivals.clear();
    }
    for (var arrival : batch) {
      if (ended) {
        return;
      }
      take(arrival.choice(), arrival.event());
    }
  }

  private void take(ChoiceState choice, GenerationEvent event) {
    switch (event) {
      case GenerationEvent.Started started -> {
        choice.add(started);
        reply.started(choice);
      }
      case GenerationEvent.Delta delta -> {
        choice.add(delta);
        reply.advanced(choice);
      }
      case GenerationEvent.Finished(FinishReason reason, var _, var _, var _)
          when reason == FinishReason.CANCELLED ->
          abort(timedOut());
      case GenerationEvent.Finished finished -> {
        choice.add(finished);
        reply.advanced(choice);
        if (--open == 0) {
          ended = true;
          onEnd.run();
          reply.completed();
        }
      }
      case GenerationEvent.Failed failed -> abort(ApiError.of(failed.error()));
    }
  }

  // Nobody else cancels a generation and goes on listening to it.
  private static ApiError timedOut() {
    return new ApiError(
        408,
        "timeout_error",
        Optional.of("request_timeout"),
        Optional.of("timeout"),
        "the request's time was up before the answer was done",
        Optional.empty());
  }
}
