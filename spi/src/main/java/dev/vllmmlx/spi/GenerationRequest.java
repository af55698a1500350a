package dev.vllmmlx.spi;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What is to be generated. The gateway has merged the defaults of {@link ModelInfo#defaults()} into
 * it: an engine sees complete values.
 *
 * @param id the public id of the request, as in the log and the response
 * @param choice which of the request's answers this is, from 0: the answers of one request share
 *     its id and prompt, and an engine may compute their prompt once
 * @param prompt what comes before
 * @param sampling how a token is chosen
 * @param stop when to end
 * @param constraint what the text must be, once the model has thought
 * @param thinkingTokens the most that the model may think before its thinking is closed for it;
 *     empty for no limit
 * @param topLogprobs present when log probabilities are wanted: how many of the likeliest tokens to
 *     name beside the chosen one, 0 for none
 * @param deadline when the generation is cancelled if it has not ended
 * @param priority higher goes first; 0 is usual
 * @param tenant who asks, for fairness, and so that one tenant's cached prompts are not another's;
 *     empty for everyone
 */
public record GenerationRequest(
    String id,
    int choice,
    Prompt prompt,
    Sampling sampling,
    StopConditions stop,
    Constraint constraint,
    OptionalInt thinkingTokens,
    OptionalInt topLogprobs,
    Optional<Instant> deadline,
    int priority,
    String tenant) {

  public GenerationRequest {
    Objects.requireNonNull(id);
    Objects.requireNonNull(prompt);
    Objects.requireNonNull(sampling);
    Objects.requireNonNull(stop);
    Objects.requireNonNull(constraint);
    Objects.requireNonNull(thinkingTokens);
    Objects.requireNonNull(topLogprobs);
    Objects.requireNonNull(deadline);
    Objects.requireNonNull(tenant);
    if (choice < 0) {
      throw new IllegalArgumentException("choice " + choice);
    }
  }

  /** A request without a limit on thinking. */
  public GenerationRequest(
      String id,
      int choice,
      Prompt prompt,
      Sampling sampling,
      StopConditions stop,
      Constraint constraint,
      OptionalInt topLogprobs,
      Optional<Instant> deadline,
      int priority,
      String tenant) {
    this(
        id,
        choice,
        prompt,
        sampling,
        stop,
        constraint,
        OptionalInt.empty(),
        topLogprobs,
        deadline,
        priority,
        tenant);
  }

  /** A request with nothing but a prompt, a way of sampling and an end. */
  public static GenerationRequest of(
      String id, Prompt prompt, Sampling sampling, StopConditions stop) {
    return new GenerationRequest(
        id,
        0,
        prompt,
        sampling,
        stop,
        new Constraint.None(),
        OptionalInt.empty(),
        Optional.empty(),
        0,
        "");
  }
}
