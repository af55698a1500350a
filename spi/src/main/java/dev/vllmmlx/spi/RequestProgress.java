package dev.vllmmlx.spi;

import java.time.Duration;
import java.util.Objects;

/**
 * How far a request has come.
 *
 * @param id the public id
 * @param choice which of the request's answers
 * @param phase what happens to it now
 * @param promptTokens length of the prompt; 0 while it is not known
 * @param computedTokens of the prompt, how many are in the KV cache
 * @param generatedTokens tokens of the answer so far
 * @param age since it came
 */
public record RequestProgress(
    String id,
    int choice,
    Phase phase,
    int promptTokens,
    int computedTokens,
    int generatedTokens,
    Duration age) {

  public RequestProgress {
    Objects.requireNonNull(id);
    Objects.requireNonNull(phase);
    Objects.requireNonNull(age);
  }

  /** What happens to a request. */
  public enum Phase {
    WAITING,
    PREFILL,
    DECODE
  }
}
