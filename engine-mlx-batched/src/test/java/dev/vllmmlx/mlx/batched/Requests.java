package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A request that differs from the plainest, a greedy one with log probabilities, in what is said.
 */
record Requests(
    String id,
    int choice,
    String prompt,
    Sampling sampling,
    StopConditions stop,
    Constraint constraint,
    OptionalInt logprobs,
    Optional<Instant> deadline,
    int priority,
    String tenant) {

  static Requests of(String id, String prompt, int tokens) {
    return new Requests(
        id,
        0,
        prompt,
        Sampling.greedy(),
        new StopConditions(tokens, 0, List.of(), Set.of(), true),
        new Constraint.None(),
        OptionalInt.of(1),
        Optional.empty(),
        0,
        "");
  }

  /** Sampled at a temperature from a seed, with nothing cut off. */
  static Sampling seeded(float temperature, long seed) {
    return new Sampling(temperature, 1, 0, 0, 1, 0, 0, Map.of(), OptionalLong.of(seed));
  }

  Requests choice(int choice) {
    return new Requests(
        id, choice, prompt, sampling, stop, constraint, logprobs, deadline, priority, tenant);
  }

  Requests sampling(Sampling sampling) {
    return new Requests(
        id, choice, prompt, sampling, stop, constraint, logprobs, deadline, priority, tenant);
  }

  Requests stop(StopConditions stop) {
    return new Requests(
        id, choice, prompt, sampling, stop, constraint, logprobs, deadline, priority, tenant);
  }

  Requests constraint(Constraint constraint) {
    return new Requests(
        id, choice, prompt, sampling, stop, constraint, logprobs, deadline, priority, tenant);
  }

  Requests logprobs(OptionalInt logprobs) {
    return new Requests(
        id, choice, prompt, sampling, stop, constraint, logprobs, deadline, priority, tenant);
  }

  Requests deadline(Instant deadline) {
    return new Requests(
        id,
        choice,
        prompt,
        sampling,
        stop,
        constraint,
        logprobs,
        Optional.of(deadline),
        priority,
        tenant);
  }

  Requests priority(int priority) {
    return new Requests(
        id, choice, prompt, sampling, stop, constraint, logprobs, deadline, priority, tenant);
  }

  Requests tenant(String tenant) {
    return new Requests(
        id, choice, prompt, sampling, stop, constraint, logprobs, deadline, priority, tenant);
  }

  GenerationRequest request() {
    return new GenerationRequest(
        id,
        choice,
        new Prompt.Text(prompt, false),
        sampling,
        stop,
        constraint,
        OptionalInt.empty(),
        logprobs,
        deadline,
        priority,
        tenant);
  }

  Answer ask(Engine engine) {
    var answer = new Answer();
    engine.generate(request(), answer);
    return answer;
  }
}
