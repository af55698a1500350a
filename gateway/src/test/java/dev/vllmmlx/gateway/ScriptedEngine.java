package dev.vllmmlx.gateway;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.EngineStatus;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.Generation;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.GenerationSink;
import dev.vllmmlx.spi.ModelInfo;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.Timings;
import dev.vllmmlx.spi.TokenLogprob;
import dev.vllmmlx.spi.Usage;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/**
 * An engine that says what a test tells it to, on a thread of its own. A request is answered by the
 * script, or step by step by the test through {@link #asked(int)}.
 */
public final class ScriptedEngine implements Engine {
  public static final String MODEL = "acme/tiny-model";

  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          task -> Thread.ofPlatform().name("scripted-engine").daemon().unstarted(task));
  private final List<Asked> asked = new CopyOnWriteArrayList<>();
  private volatile Consumer<Asked> script = _ -> {};
  private volatile EngineStatus status =
      new EngineStatus(EngineStatus.State.READY, "", Duration.ofMillis(3), 0, 0, Map.of());

  /** What is done with each request from now on, on the engine's thread. */
  public ScriptedEngine script(Consumer<Asked> script) {
    this.script = script;
    return this;
  }

  /** Answers every request with these texts, one token each. */
  public ScriptedEngine says(String... texts) {
    return script(
        request -> {
          request.started(7, 2);
          for (var text : texts) {
            request.text(text);
          }
          request.finish(FinishReason.STOP);
        });
  }

  public void status(EngineStatus status) {
    this.status = status;
  }

  /** The requests so far, in the order of their arrival. */
  public List<Asked> asked() {
    return asked;
  }

  /** Waits for a request, by the order of arrival. */
  public Asked asked(int index) {
    Awaitility.await()
        .pollInterval(Duration.ofMillis(2))
        .atMost(Duration.ofSeconds(10))
        .until(() -> asked.size() > index);
    return asked.get(index);
  }

  @Override
  public ModelInfo model() {
    return new ModelInfo(
        MODEL,
        4096,
        1000,
        Set.of(ModelInfo.Modality.TEXT),
        new ModelInfo.TemplateCapabilities(
            true, true, true, Optional.of("think"), Optional.of("hermes")),
        new Sampling(0.6f, 0.9f, 20, 0.05f, 1.1f, 0, 0, Map.of(), OptionalLong.empty()),
        Instant.ofEpochSecond(1_700_000_000));
  }

  @Override
  public Generation generate(GenerationRequest request, GenerationSink sink) {
    var it = new Asked(request, sink);
    asked.add(it);
    thread.execute(() -> script.accept(it));
    return it;
  }

  @Override
  public EngineStatus status() {
    return status;
  }

  @Override
  public int[] tokenize(Prompt prompt) {
    throw new EngineException.InvalidRequest(null, "not told how to tokenize");
  }

  @Override
  public String detokenize(int[] tokens) {
    return Arrays.stream(tokens).mapToObj(id -> "<" + id + ">").collect(Collectors.joining());
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }

  /** One request, and the means to answer it. */
  public final class Asked implements Generation {
    private final GenerationRequest request;
    private final GenerationSink sink;
    private volatile long cancelledAt;
    private volatile boolean ended;
    private int prompt;
    private int cached;
    private int tokens;

    Asked(GenerationRequest request, GenerationSink sink) {
      this.request = request;
      this.sink = sink;
    }

    public GenerationRequest request() {
      return request;
    }

    public boolean isCancelled() {
      return cancelledAt != 0;
    }

    /** {@link System#nanoTime()} of the first cancel. */
    public long cancelledAt() {
      return cancelledAt;
    }

    public Asked started(int promptTokens, int cachedTokens) {
      prompt = promptTokens;
      cached = cachedTokens;
      return send(new GenerationEvent.Started(promptTokens, cachedTokens));
    }

    public Asked text(String text) {
      return delta(text, 1, List.of());
    }

    public Asked delta(String text, int count, List<TokenLogprob> logprobs) {
      tokens += count;
      return send(new GenerationEvent.Delta(text, count, logprobs));
    }

    public Asked finish(FinishReason reason) {
      return send(
          new GenerationEvent.Finished(
              reason,
              Optional.empty(),
              new Usage(prompt, cached, tokens),
              new Timings(Duration.ZERO, Duration.ZERO, Duration.ZERO)));
    }

    public Asked fail(EngineException error) {
      return send(new GenerationEvent.Failed(error));
    }

    /** Hands an event on, on whatever thread this is called. */
    public Asked send(GenerationEvent event) {
      ended |= event instanceof GenerationEvent.Terminal;
      sink.accept(event);
      return this;
    }

    @Override
    public void cancel() {
      if (cancelledAt == 0) {
        cancelledAt = System.nanoTime();
        thread.execute(
            () -> {
              if (!ended) {
                finish(FinishReason.CANCELLED);
              }
            });
      }
    }
  }
}
