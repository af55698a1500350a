package dev.vllmmlx.mlx.batched;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;

/**
 * In which turn prompts get tokens of a step, and how many. Tenants share, each for the first of
 * its prompts, so that none waits for all of another's; what is left goes by rank. A low priority
 * gets what others leave.
 */
final class PromptTurns {
  private final Queue<Row> turns;

  /** How many of the turns to come share what is left. */
  private int shares;

  private int left;
  private int share;

  /**
   * @param prompts rows whose prompts are not computed yet, by rank
   * @param tokens that the step has for them
   */
  PromptTurns(List<Row> prompts, int tokens) {
    var firsts = new LinkedHashMap<String, Row>();
    prompts.stream()
        .filter(row -> row.priority() == prompts.getFirst().priority())
        .forEach(row -> firsts.putIfAbsent(row.tenant(), row));
    // The shortest first: what it does not need is for those after it.
    var order = new LinkedHashSet<Row>();
    firsts.values().stream().sorted(Comparator.comparingInt(Row::missing)).forEach(order::add);
    order.addAll(prompts);
    turns = new ArrayDeque<>(order);
    shares = firsts.size();
    left = tokens;
  }

  /** Whose turn it is; empty when there is nothing left for anybody. */
  Optional<Row> next() {
    if (left == 0 || turns.isEmpty()) {
      return Optional.empty();
    }
    share = shares > 0 ? Math.ceilDiv(left, shares--) : left;
    return Optional.of(turns.remove());
  }

  /** Tokens that it may have, at least one. */
  int share() {
    return share;
  }

  /** It has taken so many. */
  void took(int tokens) {
    left -= tokens;
  }
}
