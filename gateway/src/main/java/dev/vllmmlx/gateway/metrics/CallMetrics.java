package dev.vllmmlx.gateway.metrics;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.CallMeter;
import dev.vllmmlx.gateway.pipeline.Outcome;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.Timings;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

/** Counts and times of calls. The buckets of the times suit a laptop's CPU as well as a GPU. */
public final class CallMetrics implements CallMeter {
  private final MeterRegistry registry;
  private final Timer queued;
  private final Timer prefill;
  private final Timer firstToken;
  private final Timer interToken;
  private final Timer whole;
  private final Counter prefillTokens;
  private final Counter cachedTokens;
  private final Counter decodeTokens;

  CallMetrics(MeterRegistry registry) {
    this.registry = registry;
    this.queued =
        timer(
            "queue_time",
            "From a choice's arrival at the engine until it was taken up",
            1,
            5,
            10,
            50,
            100,
            250,
            500,
            1000,
            2500,
            5000,
            10_000,
            30_000,
            60_000,
            300_000);
    this.prefill =
        timer(
            "prefill_time",
            "From a choice being taken up until its first token",
            5,
            10,
            25,
            50,
            100,
            250,
            500,
            1000,
            2500,
            5000,
            10_000,
            30_000,
            60_000,
            300_000);
    this.firstToken =
        timer(
            "time_to_first_token",
            "From a call's arrival until the first token of a choice",
            5,
            10,
            25,
            50,
            100,
            250,
            500,
            1000,
            2500,
            5000,
            10_000,
            30_000,
            60_000,
            300_000);
    this.interToken =
        timer(
            "inter_token_latency",
            "From a token of a choice to its next",
            1,
            2,
            5,
            10,
            20,
            30,
            50,
            75,
            100,
            150,
            250,
            500,
            1000,
            2500,
            10_000);
    this.whole =
        timer(
            "request_duration",
            "From a call's arrival until its reply was sent",
            50,
            100,
            250,
            500,
            1000,
            2500,
            5000,
            10_000,
            20_000,
            60_000,
            120_000,
            300_000,
            600_000);
    this.prefillTokens = counter("prefill_tokens", "Tokens of prompts that were computed");
    this.cachedTokens = counter("cached_tokens", "Tokens of prompts that came from the cache");
    this.decodeTokens = counter("decode_tokens", "Tokens that were generated");
  }

  @Override
  public void accepted(int promptTokens, int cached) {
    prefillTokens.increment(promptTokens - cached);
    cachedTokens.increment(cached);
  }

  @Override
  public void firstTokens(int tokens, Duration sinceCall) {
    firstToken.record(sinceCall);
    decodeTokens.increment(tokens);
  }

  @Override
  public void nextTokens(int tokens, Duration sinceLast) {
    var each = sinceLast.dividedBy(tokens);
    for (var i = 0; i < tokens; i++) {
      interToken.record(each);
    }
    decodeTokens.increment(tokens);
  }

  @Override
  public void finished(Timings timings) {
    queued.record(timings.queued());
    prefill.record(timings.prefill());
  }

  @Override
  public void ended(Outcome outcome, Duration sinceCall) {
    whole.record(sinceCall);
    count(outcome.error().map(CallMetrics::code).orElseGet(() -> reason(outcome)));
  }

  /** A call was refused before there was anything to generate. */
  public void refused(ApiError error) {
    count(code(error));
  }

  // What a client may send is in no code: there are only so many.
  private void count(String outcome) {
    Counter.builder(EngineMetrics.PREFIX + "requests")
        .description("Calls that ended, by finish reason or error code")
        .tag("outcome", outcome)
        .register(registry)
        .increment();
  }

  private static String code(ApiError error) {
    return error.code().orElse(error.type());
  }

  // Of several choices, what is most worth knowing.
  private static String reason(Outcome outcome) {
    var reasons = outcome.choices().stream().map(it -> it.finishReason()).toList();
    if (reasons.contains(Optional.of(FinishReason.CANCELLED))) {
      return "abort";
    }
    return reasons.contains(Optional.of(FinishReason.LENGTH)) ? "length" : "stop";
  }

  private Counter counter(String name, String description) {
    return Counter.builder(EngineMetrics.PREFIX + name).description(description).register(registry);
  }

  private Timer timer(String name, String description, long... bucketMillis) {
    return Timer.builder(EngineMetrics.PREFIX + name)
        .description(description)
        .serviceLevelObjectives(
            Arrays.stream(bucketMillis).mapToObj(Duration::ofMillis).toArray(Duration[]::new))
        .register(registry);
  }
}
