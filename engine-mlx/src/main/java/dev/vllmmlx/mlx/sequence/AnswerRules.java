package dev.vllmmlx.mlx.sequence;

import dev.vllmmlx.mlx.sample.LogitsProcessor;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * How one answer is written and what it must be. Belongs to its sequence.
 *
 * @param written special tokens that are part of its text
 * @param thinking whether it begins inside of thinking
 * @param constraint what it must be; closed with this
 * @param budget how long the thinking may be
 */
public record AnswerRules(
    Set<Integer> written,
    boolean thinking,
    Optional<AnswerConstraint> constraint,
    Optional<ThinkingBudget> budget)
    implements AutoCloseable {

  /** Plain text, whatever it is. */
  public static final AnswerRules NONE =
      new AnswerRules(Set.of(), false, Optional.empty(), Optional.empty());

  public AnswerRules {
    written = Set.copyOf(written);
    Objects.requireNonNull(constraint);
    Objects.requireNonNull(budget);
  }

  /** In their order: what a budget forces goes before all else. */
  List<LogitsProcessor> processors() {
    return Stream.<LogitsProcessor>concat(constraint.stream(), budget.stream()).toList();
  }

  void took(int token) {
    constraint.ifPresent(each -> each.accept(token));
    budget.ifPresent(each -> each.took(token));
  }

  /** Whether nothing but an end may follow. */
  boolean complete() {
    return constraint.map(AnswerConstraint::isComplete).orElse(false);
  }

  @Override
  public void close() {
    constraint.ifPresent(AnswerConstraint::close);
  }
}
