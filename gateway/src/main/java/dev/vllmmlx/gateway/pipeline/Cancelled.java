package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.spi.FinishReason;
import java.util.List;
import java.util.Optional;

/**
 * A call that was ended by request.
 *
 * @param id of its reply
 * @param choices those that were cut short; the others had ended by themselves
 */
public record Cancelled(String id, List<Choice> choices) {
  public Cancelled {
    choices = List.copyOf(choices);
  }

  /**
   * A choice that was cut short.
   *
   * @param completionTokens how many tokens it had come to
   */
  public record Choice(int index, int completionTokens) {}

  /** Empty when no choice was cut short. */
  static Optional<Cancelled> of(String id, List<ChoiceState> choices) {
    var cut =
        choices.stream()
            .filter(it -> it.finishReason().equals(Optional.of(FinishReason.CANCELLED)))
            .map(it -> new Choice(it.index(), it.usage().completionTokens()))
            .toList();
    return cut.isEmpty() ? Optional.empty() : Optional.of(new Cancelled(id, cut));
  }
}
