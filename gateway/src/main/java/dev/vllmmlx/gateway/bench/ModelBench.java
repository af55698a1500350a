package dev.vllmmlx.gateway.bench;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.GenerationSink;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;

/** Measures prefill and decode of one sequence through the engine's own timings. */
final class ModelBench {
  private static final double NANOS = 1e9;

  private final Engine engine;
  private final int repeats;
  private final SplittableRandom random;
  private int requests;

  ModelBench(Engine engine, int repeats, long seed) {
    this.engine = engine;
    this.repeats = repeats;
    this.random = new SplittableRandom(seed);
  }

  /**
   * @param prompts lengths of the prompts to measure prefill with
   * @throws EngineException what the engine said of a request
   */
  ModelFigures measure(String engineName, List<Integer> prompts, int decodeTokens)
      throws InterruptedException {
    generate(Math.min(64, prompts.getFirst()), Math.min(16, decodeTokens)); // warm-up
    var prefills = new ArrayList<ModelFigures.Prefill>();
    for (var tokens : prompts) {
      var rates = new double[repeats];
      for (var i = 0; i < repeats; i++) {
        rates[i] = tokens * NANOS / generate(tokens, 1).timings().prefill().toNanos();
      }
      prefills.add(new ModelFigures.Prefill(tokens, median(rates)));
    }
    decodeRate(decodeTokens);
    var peak = peakBytes(); // before memory is taken to read
    var rates = new double[repeats];
    var bandwidths = new double[repeats + 1];
    // In turns: what other machines do to the memory that they share with this one changes by the
    // second.
    try (var memory = new MemoryBandwidth()) {
      bandwidths[repeats] = memory.measure();
      for (var i = 0; i < repeats; i++) {
        rates[i] = decodeRate(decodeTokens);
        bandwidths[i] = memory.measure();
      }
    }
    var weights = engine.status().gauges().get("weight_bytes");
    return new ModelFigures(
        engine.model().id(),
        engineName,
        prefills,
        decodeTokens,
        median(rates),
        median(bandwidths),
        weights == null ? OptionalDouble.empty() : OptionalDouble.of(weights),
        peak);
  }

  private double decodeRate(int tokens) {
    var finished = generate(16, tokens);
    var steps = finished.usage().completionTokens() - 1;
    return steps * NANOS / finished.timings().decode().toNanos();
  }

  /** Ids at random, so that no cache of the engine's knows the prompt. */
  private GenerationEvent.Finished generate(int promptTokens, int maxTokens) {
    var ids = random.ints(promptTokens, 0, engine.model().vocabularySize()).toArray();
    var done = new CompletableFuture<GenerationEvent.Finished>();
    GenerationSink sink =
        event -> {
          switch (event) {
            case GenerationEvent.Finished finished -> done.complete(finished);
            case GenerationEvent.Failed(var error) -> done.completeExceptionally(error);
            default -> {}
          }
        };
    engine.generate(
        GenerationRequest.of(
            "bench-" + requests++,
            new Prompt.Tokens(ids),
            Sampling.greedy(),
            new StopConditions(maxTokens, maxTokens, List.of(), Set.of(), true)),
        sink);
    try {
      return done.join();
    } catch (java.util.concurrent.CompletionException e) {
      throw e.getCause() instanceof EngineException known ? known : e;
    }
  }

  private static double median(double[] values) {
    var sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private static OptionalDouble peakBytes() {
    try (var lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToDouble(line -> 1024 * Double.parseDouble(line.replaceAll("\\D", "")))
          .findFirst();
    } catch (IOException e) {
      return OptionalDouble.empty();
    }
  }
}
