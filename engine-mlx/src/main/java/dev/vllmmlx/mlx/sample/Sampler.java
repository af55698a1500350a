package dev.vllmmlx.mlx.sample;

import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Sampling;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Chooses the tokens of one sequence, in the order that {@link Sampling} states. It belongs to its
 * sequence: it knows what was generated, and draws from a stream of its own. Not for several
 * threads at once.
 *
 * <p>Cost at a vocabulary of 150,000, measured: 0.05 ms greedy, 1 ms drawn with top-k, 2 ms with
 * top-p over the whole vocabulary, and 1.5 ms more for log probabilities.
 */
public final class Sampler {
  private final Sampling sampling;
  private final OptionalInt topLogprobs;
  private final List<LogitsProcessor> processors;
  private final TokenHistory history;
  private final Draws draws;

  private Sampler(
      Sampling sampling,
      OptionalInt topLogprobs,
      List<LogitsProcessor> processors,
      TokenHistory history,
      Draws draws) {
    this.sampling = sampling;
    this.topLogprobs = topLogprobs;
    this.processors = processors;
    this.history = history;
    this.draws = draws;
  }

  /**
   * The sampler of a request's answer.
   *
   * @param prompt ids of the vocabulary
   * @param endIds what would end the answer: none of it is chosen among the first {@code minTokens}
   * @param constraints exclude what must not follow; applied after penalties and bias
   */
  public static Sampler of(
      GenerationRequest request,
      int[] prompt,
      Set<Integer> endIds,
      List<LogitsProcessor> constraints) {
    var sampling = request.sampling();
    var processors = new ArrayList<LogitsProcessor>();
    if (Penalties.asked(sampling)) {
      processors.add(Penalties.of(sampling));
    }
    if (!sampling.logitBias().isEmpty()) {
      processors.add(new LogitBias(sampling.logitBias()));
    }
    processors.addAll(constraints);
    if (request.stop().minTokens() > 0) {
      processors.add(
          new MinTokens(
              request.stop().minTokens(), endIds.stream().mapToInt(Integer::intValue).toArray()));
    }
    return new Sampler(
        sampling,
        request.topLogprobs(),
        List.copyOf(processors),
        new TokenHistory(prompt),
        Draws.of(sampling.seed(), request.choice()));
  }

  /**
   * Chooses the next token and notes it.
   *
   * @param logits a score for each id, in place of which nothing useful is left
   * @throws EngineException.Internal if a score is not a number, or no token can be chosen; it is
   *     this sequence's fault alone
   */
  public SampledToken next(float[] logits) {
    for (var processor : processors) {
      processor.process(logits, history);
    }
    var likeliest = likeliest(logits);
    var highest = logits[likeliest];
    int token;
    Optional<Likelihoods> likelihoods = Optional.empty();
    if (sampling.temperature() == 0) {
      token = likeliest;
      if (topLogprobs.isPresent()) {
        likelihoods = Optional.of(Likelihoods.of(logits, highest, token, topLogprobs.getAsInt()));
      }
    } else {
      var processed = topLogprobs.isPresent() ? logits.clone() : logits;
      token = Distribution.draw(logits, highest, sampling, draws.uniform(history.answerLength()));
      if (topLogprobs.isPresent()) {
        likelihoods =
            Optional.of(Likelihoods.of(processed, highest, token, topLogprobs.getAsInt()));
      }
    }
    history.add(token);
    return new SampledToken(token, likelihoods);
  }

  /** Notes a token that was chosen otherwise. */
  public void chose(int token) {
    history.add(token);
  }

  /** The id of the highest score, of equals the lowest. */
  private static int likeliest(float[] logits) {
    var best = 0;
    var highest = Float.NEGATIVE_INFINITY;
    for (var id = 0; id < logits.length; id++) {
      // One comparison that a NaN passes as well.
      if (!(logits[id] <= highest)) {
        if (Float.isNaN(logits[id])) {
          throw new EngineException.Internal(
              "the model's score of token %d is not a number".formatted(id), null);
        }
        highest = logits[id];
        best = id;
      }
    }
    if (Float.isInfinite(highest)) {
      throw new EngineException.Internal(
          highest < 0
              ? "no token is left that could follow"
              : "the model's score of token %d is infinite".formatted(best),
          null);
    }
    return best;
  }
}
