package dev.vllmmlx.spi;

import java.util.List;

/**
 * How likely a generated token was.
 *
 * @param token its text and its probability
 * @param top the likeliest tokens of its step, the likeliest first, as many as the request asked
 *     for
 */
public record TokenLogprob(Candidate token, List<Candidate> top) {

  public TokenLogprob {
    top = List.copyOf(top);
  }

  /**
   * One token of the vocabulary at one step.
   *
   * @param id its id
   * @param bytes the bytes it stands for, which need not be whole characters; to be treated as
   *     read-only
   * @param logprob the natural logarithm of its probability under the model, before temperature and
   *     truncation and after penalties, bias and constraint; negative infinity where it was
   *     excluded
   */
  public record Candidate(int id, byte[] bytes, float logprob) {}
}
