package dev.vllmmlx.gateway.bench;

import java.util.List;

/** How one request went. Times are seconds. */
sealed interface RequestOutcome {

  /**
   * It was answered.
   *
   * @param firstToken from the request until the first text
   * @param gaps between the pieces of text that came one after another
   * @param total from the request until the end
   * @param promptTokens as the server counted, or 0 where it did not say
   * @param cachedTokens of the prompt, as the server counted
   * @param tokens of the answer: as the server counted, else the pieces that came
   * @param counted whether the server counted
   */
  record Answered(
      double firstToken,
      List<Double> gaps,
      double total,
      int promptTokens,
      int cachedTokens,
      int tokens,
      boolean counted)
      implements RequestOutcome {
    public Answered {
      gaps = List.copyOf(gaps);
    }
  }

  /**
   * It was not.
   *
   * @param kind by which failures are counted, such as {@code HTTP 429} or {@code timeout}
   */
  record Failed(String kind) implements RequestOutcome {}
}
