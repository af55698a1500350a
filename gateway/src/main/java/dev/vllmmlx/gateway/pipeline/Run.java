package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.gateway.mcp.McpEvent;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.Generation;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.RequestProgress;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.Timings;
import dev.vllmmlx.spi.Usage;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One call under way: a generation for each choice, whose events it takes over from the engine's
 * thread and hands to the reply on the request's event loop. Every method runs on that loop, but
 * for the engine's callback and where one says otherwise.
 */
final class Run {

  /** An event of a choice, and when it came. */
  private record Arrival(ChoiceState choice, GenerationEvent event, long nanos) {}

  private static final Logger LOG = LoggerFactory.getLogger(Run.class);

  private final Context loop;
  private final Caller caller;
  private final Engine engine;
  private final List<ChoiceState> choices;
  private final Reply reply;
  private final TimeLimits limits;
  private final CallMeter meter;
  private final long began = System.nanoTime();
  private final Promise<Void> settled = Promise.promise(); // The engine has no more to say.
  private final Promise<Outcome> end = Promise.promise();
  private final List<Generation> generations = new ArrayList<>();

  // Guarded by itself: the engine's thread adds, the event loop takes all there is at once.
  private final List<Arrival> arrivals = new ArrayList<>();
  private Call call;
  private Optional<Instant> deadline = Optional.empty();
  private int open;
  private boolean cancelled; // By request: what is there so far is the answer.
  private boolean deaf; // Whatever the engine still says is of no interest.

  /**
   * @param betweenTokens how long a choice may be silent once it has begun
   */
  Run(
      Context loop,
      Caller caller,
      Engine engine,
      List<ChoiceState> choices,
      Reply reply,
      Optional<Duration> betweenTokens,
      CallMeter meter) {
    this.limits = new TimeLimits(loop.owner(), choices, betweenTokens, this::abort);
    this.loop = loop;
    this.caller = caller;
    this.engine = engine;
    this.choices = choices;
    this.reply = reply;
    this.meter = meter;
    this.open = choices.size();
  }

  /** Since the call came. */
  Duration age() {
    return Duration.ofNanos(System.nanoTime() - began);
  }

  /** Completes when the answer has been sent or the client is gone; never fails. */
  Future<Outcome> end() {
    return end.future();
  }

  Caller caller() {
    return caller;
  }

  void start(Call call) {
    this.call = call;
    limits.start(call.timeout());
    deadline = call.timeout().map(timeout -> Instant.now().plus(timeout));
    var answering = call.answering();
    try {
      for (var choice : choices) {
        var prompt = call.prompts().get(choice.promptIndex());
        if (answering.runHere().isPresent() && prompt instanceof Prompt.Chat chat) {
          var tools = answering.runHere().get();
          choice.with(new ToolChoice(tools, chat, event -> tell(choice, event)));
        }
        generate(choice, choice.index() % call.choices(), prompt, answering.constraint());
      }
    } catch (RuntimeException e) {
      broken(e);
    }
  }

  private void generate(ChoiceState choice, int ofPrompt, Prompt prompt, Constraint constraint) {
    var request =
        new GenerationRequest(
            engineId(choice),
            ofPrompt,
            prompt,
            seeded(call.sampling(), choice.index() % call.choices()),
            choice.left(call.stop()).orElseThrow(),
            constraint,
            call.answering().thinkingTokens(),
            call.topLogprobs(),
            deadline,
            call.priority(),
            caller.tenant());
    generations.add(engine.generate(request, event -> arrive(choice, event)));
  }

  // From the threads that run tools.
  private void tell(ChoiceState choice, McpEvent event) {
    loop.runOnContext(
        _ -> {
          if (!deaf) {
            choice.tell(event.describe());
            reply.advanced(choice);
          }
        });
  }

  // Choices of one prompt share an id, by which an engine knows that they share the prompt; after
  // a round of tools each goes its own way.
  private String engineId(ChoiceState choice) {
    if (choice.round() > 0) {
      return "%s-%d-round-%d".formatted(caller.id(), choice.index(), choice.round());
    }
    return choices.getLast().promptIndex() == 0
        ? caller.id()
        : caller.id() + "-" + choice.promptIndex();
  }

  /** What an engine says of a request, if it is of this call. From any thread. */
  Optional<RequestProgress> inItsWords(RequestProgress request) {
    return choices.stream()
        .filter(choice -> engineId(choice).equals(request.id()))
        .skip(request.choice())
        .findFirst()
        .map(
            choice ->
                new RequestProgress(
                    caller.id(),
                    choice.index(),
                    request.phase(),
                    request.promptTokens(),
                    request.computedTokens(),
                    request.generatedTokens(),
                    request.age()));
  }

  /** The client is gone: whatever still generates stops. */
  void leave() {
    silence();
    reply.gone();
    end.tryComplete(new Outcome(choices, Optional.of(ApiError.clientGone())));
  }

  /** Ends the call with an error, unless its answer is complete. */
  void abort(ApiError error) {
    if (!deaf) {
      silence();
      finish(reply.failed(error), Optional.of(error));
    }
  }

  /** {@link #abort} from any thread. */
  void abortFromOutside(ApiError error) {
    loop.runOnContext(_ -> abort(error));
  }

  /**
   * Ends every choice that goes on, as an answer that is whole as far as it came. From any thread.
   *
   * @return completes on the event loop when the engine has ended them all; empty when there was
   *     nothing left to end
   */
  Future<Optional<Cancelled>> cancel() {
    var result = Promise.<Optional<Cancelled>>promise();
    loop.runOnContext(
        _ -> {
          cancelled = true;
          stopTools();
          generations.forEach(Generation::cancel);
          settled.future().onComplete(_ -> result.complete(Cancelled.of(caller.id(), choices)));
        });
    return result.future();
  }

  private void silence() {
    deaf = true;
    settle();
    stopTools();
    generations.forEach(Generation::cancel);
  }

  private void stopTools() {
    if (call != null) {
      call.answering().runHere().ifPresent(it -> it.session().close());
    }
  }

  private void settle() {
    limits.stop();
    settled.tryComplete();
  }

  private void finish(Future<Void> written, Optional<ApiError> error) {
    written.onSuccess(_ -> end.tryComplete(new Outcome(choices, error))).onFailure(_ -> leave());
  }

  private ApiError error(EngineException exception) {
    return call == null
        ? ApiError.of(exception, "", "")
        : ApiError.of(exception, call.promptField(), call.answering().field());
  }

  // A fault of the engine or of ours, and no reason to leave the client waiting.
  private void broken(RuntimeException e) {
    LOG.error("request {} failed", caller.id(), e);
    abort(error(new EngineException.Internal("", e)));
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
    var now = System.nanoTime();
    synchronized (arrivals) {
      arrivals.add(new Arrival(choice, event, now));
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
    try {
      for (var arrival : batch) {
        if (!deaf) {
          take(arrival.choice(), arrival.event(), arrival.nanos());
        }
      }
    } catch (RuntimeException e) {
      broken(e);
    }
  }

  private void take(ChoiceState choice, GenerationEvent event, long nanos) {
    switch (event) {
      case GenerationEvent.Started started -> {
        choice.add(started);
        meter.accepted(started.promptTokens(), started.cachedTokens());
        reply.started(choice);
      }
      case GenerationEvent.Delta delta -> {
        measure(choice, delta.tokens(), nanos);
        choice.add(delta, nanos);
        limits.advanced();
        reply.advanced(choice);
      }
      case GenerationEvent.Finished(FinishReason reason, var _, var _, var _)
          when reason == FinishReason.CANCELLED && !cancelled ->
          // Nobody but its deadline has cancelled a generation that is listened to.
          abort(TimeLimits.timedOut());
      case GenerationEvent.Finished finished -> {
        meter.finished(finished.timings());
        choice.hearOut(finished.reason());
        if (!runsTools(choice, finished)) {
          end(choice, finished);
        }
      }
      case GenerationEvent.Failed(EngineException.Internal error) -> broken(error);
      case GenerationEvent.Failed(EngineException error) -> abort(error(error));
    }
  }

  /** A choice has said all that it will. Its end goes out once the answer was checked. */
  private void end(ChoiceState choice, GenerationEvent.Finished finished) {
    var toCheck = choice.conclude(finished.reason());
    if (toCheck.isEmpty()) {
      close(choice, finished, List.of());
      return;
    }
    // A client's schema may ask for more work than others on the event loop can wait for.
    Thread.startVirtualThread(
        () -> {
          try {
            var found = toCheck.get().warnings();
            loop.runOnContext(_ -> close(choice, finished, found));
          } catch (RuntimeException | Error e) {
            loop.runOnContext(_ -> broken(new IllegalStateException("a check failed", e)));
          }
        });
  }

  private void close(
      ChoiceState choice, GenerationEvent.Finished finished, List<AnswerCheck.Warning> found) {
    if (deaf) {
      return;
    }
    choice.add(finished, found);
    reply.advanced(choice);
    if (--open == 0) {
      var written = reply.completed();
      deaf = true;
      settle();
      stopTools();
      written.onSuccess(_ -> choices.forEach(this::tellOfMisfits));
      finish(written, Optional.empty());
    }
  }

  private void tellOfMisfits(ChoiceState choice) {
    for (var warning : choice.warnings()) {
      LOG.warn(
          "{}: the answer does not fit a schema that is not strict: {} {}, keyword {}",
          caller.requestId(),
          warning.place(),
          warning.misfit().path(),
          warning.misfit().keyword());
    }
  }

  /** Whether the model has called tools that are run here; they run from now on. */
  private boolean runsTools(ChoiceState choice, GenerationEvent.Finished finished) {
    if (finished.reason() != FinishReason.STOP || cancelled) {
      return false;
    }
    var tools = choice.tools().filter(ToolChoice::hasCalls);
    if (tools.isEmpty()) {
      return false;
    }
    choice.endRound(finished);
    if (choice.left(call.stop()).isEmpty()) {
      // Nothing could be said of the results: what the tools do shall not be done for nothing.
      end(choice, finishedWithout(FinishReason.LENGTH));
      return true;
    }
    reply.advanced(choice);
    tools
        .get()
        .run()
        .whenComplete((prompt, fault) -> loop.runOnContext(_ -> nextRound(choice, prompt, fault)));
    return true;
  }

  private void nextRound(ChoiceState choice, Prompt.Chat prompt, Throwable fault) {
    if (deaf) {
      return;
    }
    if (fault != null) {
      broken(new IllegalStateException("a round of tools failed", fault));
    } else if (cancelled) {
      end(choice, finishedWithout(FinishReason.CANCELLED));
    } else {
      var tools = choice.tools().orElseThrow();
      tools.goOn(prompt);
      try {
        generate(choice, 0, prompt, tools.constraint());
      } catch (RuntimeException e) {
        broken(e);
      }
    }
  }

  /** The end of a choice that the engine has no part in. */
  private static GenerationEvent.Finished finishedWithout(FinishReason reason) {
    var nothing = new Timings(Duration.ZERO, Duration.ZERO, Duration.ZERO);
    return new GenerationEvent.Finished(reason, Optional.empty(), new Usage(0, 0, 0), nothing);
  }

  private void measure(ChoiceState choice, int tokens, long nanos) {
    if (tokens == 0) {
      return;
    }
    var last = choice.lastToken();
    if (last.isPresent() || choice.round() > 0) {
      meter.nextTokens(tokens, Duration.ofNanos(nanos - last.orElse(nanos)));
    } else {
      meter.firstTokens(tokens, Duration.ofNanos(nanos - began));
    }
  }
}
