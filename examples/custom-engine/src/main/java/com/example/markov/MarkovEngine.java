package com.example.markov;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.EngineStatus;
import dev.vllmmlx.spi.Generation;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.GenerationSink;
import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.ModelInfo;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** One answer after another, on one thread. A token is a Unicode code point. */
final class MarkovEngine implements Engine {
  private static final int CONTEXT = 8192;
  private static final int MAX_QUEUE = 64;

  private final ModelInfo model;
  private final Chain chain;
  private final LinkedBlockingQueue<Continuation> queue = new LinkedBlockingQueue<>(MAX_QUEUE);
  private final Thread thread;
  private volatile boolean closed;
  private volatile boolean busy;
  private volatile long lastAlive = System.nanoTime();

  MarkovEngine(String id, Chain chain) {
    this.chain = chain;
    this.model =
        new ModelInfo(
            id,
            CONTEXT,
            Character.MAX_CODE_POINT + 1,
            Set.of(ModelInfo.Modality.TEXT),
            new ModelInfo.TemplateCapabilities(true, false, false),
            new Sampling(1, 1, 0, 0, 1, 0, 0, Map.of(), OptionalLong.empty()),
            Instant.EPOCH);
    this.thread = Thread.ofPlatform().name("markov").daemon().start(this::serve);
  }

  @Override
  public ModelInfo model() {
    return model;
  }

  @Override
  public Generation generate(GenerationRequest request, GenerationSink sink) {
    var continuation = new Continuation(request, sink, text(request.prompt()), chain);
    var refusal = refusal(request, continuation);
    if (refusal != null) {
      continuation.end(new GenerationEvent.Failed(refusal));
    } else if (!queue.offer(continuation)) {
      continuation.end(
          new GenerationEvent.Failed(
              new EngineException.Overloaded("the queue is full", Duration.ofSeconds(1))));
    } else if (closed && queue.remove(continuation)) {
      continuation.end(new GenerationEvent.Failed(unavailable()));
    }
    return continuation;
  }

  private EngineException refusal(GenerationRequest request, Continuation continuation) {
    if (closed) {
      return unavailable();
    }
    if (!(request.constraint() instanceof Constraint.None)) {
      return new EngineException.InvalidRequest("response_format", "text cannot be constrained here");
    }
    return continuation.promptTokens() >= CONTEXT
        ? new EngineException.ContextExceeded(continuation.promptTokens(), CONTEXT)
        : null;
  }

  private void serve() {
    while (!closed) {
      try {
        var next = queue.poll(250, TimeUnit.MILLISECONDS);
        lastAlive = System.nanoTime();
        busy = next != null;
        while (busy && !closed && next.step(CONTEXT)) {
          lastAlive = System.nanoTime();
        }
        if (busy && closed) {
          next.end(new GenerationEvent.Failed(unavailable()));
        }
      } catch (InterruptedException _) {
        // Closing wakes the thread up.
      }
    }
    for (var left = queue.poll(); left != null; left = queue.poll()) {
      left.end(new GenerationEvent.Failed(unavailable()));
    }
  }

  @Override
  public EngineStatus status() {
    return new EngineStatus(
        closed ? EngineStatus.State.CLOSED : EngineStatus.State.READY,
        closed ? "the engine is closed" : "",
        Duration.ofNanos(System.nanoTime() - lastAlive),
        busy ? 1 : 0,
        queue.size(),
        Map.of());
  }

  @Override
  public int[] tokenize(Prompt prompt) {
    return text(prompt).codePoints().toArray();
  }

  @Override
  public String detokenize(int[] tokens) {
    return new String(tokens, 0, tokens.length);
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

  private static String text(Prompt prompt) {
    return switch (prompt) {
      case Prompt.Text(var text, var _) -> text;
      case Prompt.Tokens(var ids) -> new String(ids, 0, ids.length);
      case Prompt.Chat chat ->
          chat.messages().stream()
              .flatMap(message -> message.content().stream())
              .map(MarkovEngine::text)
              .collect(Collectors.joining("\n"));
    };
  }

  private static String text(Message.Content content) {
    return switch (content) {
      case Message.Content.Plain(var text) -> text;
      case Message.Content.Parts(var parts) ->
          parts.stream()
              .map(part -> ((Message.Part.Text) part).text())
              .collect(Collectors.joining());
    };
  }

  private static EngineException unavailable() {
    return new EngineException.Unavailable("the engine is closed");
  }
}
