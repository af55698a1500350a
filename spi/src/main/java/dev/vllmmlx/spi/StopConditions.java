package dev.vllmmlx.spi;

import java.util.List;
import java.util.Set;

/**
 * When a generation ends. The first condition that holds ends it.
 *
 * @param maxTokens at most so many are generated, at least 1; the context may leave fewer
 * @param minTokens before so many, no token that would end it is chosen and no stop string counts
 * @param strings the answer ends before the first of them, wherever it is cut into tokens; none
 *     empty
 * @param tokenIds ids that end it, beside the model's own
 * @param ignoreEos whether the model's own end-of-turn tokens are no end
 */
public record StopConditions(
    int maxTokens, int minTokens, List<String> strings, Set<Integer> tokenIds, boolean ignoreEos) {

  public StopConditions {
    strings = List.copyOf(strings);
    tokenIds = Set.copyOf(tokenIds);
    if (maxTokens < 1) {
      throw new IllegalArgumentException("maxTokens " + maxTokens);
    }
    if (strings.contains("")) {
      throw new IllegalArgumentException("an empty stop string");
    }
  }

  /** Ends after so many tokens, or when the model ends its turn. */
  public static StopConditions after(int maxTokens) {
    return new StopConditions(maxTokens, 0, List.of(), Set.of(), false);
  }
}
