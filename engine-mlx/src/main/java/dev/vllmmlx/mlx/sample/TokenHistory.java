package dev.vllmmlx.mlx.sample;

import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;

/** The tokens of one sequence, as processors want to know them. */
public final class TokenHistory {
  private final BitSet seen = new BitSet();
  private final Map<Integer, Integer> answerCounts = new HashMap<>();
  private int answerLength;

  /**
   * A history with an empty answer.
   *
   * @param prompt ids of the vocabulary
   */
  public TokenHistory(int[] prompt) {
    for (var id : prompt) {
      seen.set(id);
    }
  }

  /** Notes the answer's next token. */
  public void add(int token) {
    seen.set(token);
    answerCounts.merge(token, 1, Integer::sum);
    answerLength++;
  }

  /** The ids in prompt or answer; to be treated as read-only. */
  BitSet seen() {
    return seen;
  }

  /** How often each id is in the answer, where it is there at all. */
  public Map<Integer, Integer> answerCounts() {
    return Collections.unmodifiableMap(answerCounts);
  }

  /** Tokens of the answer so far. */
  public int answerLength() {
    return answerLength;
  }
}
