package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.spi.Timings;
import java.time.Duration;

/** Hears how calls fare. Called on event loops for each token: quick, and never blocking. */
public interface CallMeter {

  /**
   * The prompt of a choice was accepted.
   *
   * @param cachedTokens how many of those were not computed again
   */
  void accepted(int promptTokens, int cachedTokens);

  /** A choice has its first tokens. */
  void firstTokens(int tokens, Duration sinceCall);

  /** A choice has more tokens. */
  void nextTokens(int tokens, Duration sinceLast);

  /** A choice ended as it should, or was cancelled. */
  void finished(Timings timings);

  /** A call ended. */
  void ended(Outcome outcome, Duration sinceCall);
}
