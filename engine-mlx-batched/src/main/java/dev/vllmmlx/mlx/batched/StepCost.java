package dev.vllmmlx.mlx.batched;

/**
 * How many tokens of prompts a step may take beside its decoding rows, so that these do not wait
 * twice as long for their next token as they would without a prompt.
 *
 * <p>Where more than one prompt waits, it is as if the others were answers under way already, and a
 * step takes more of them: small steps cost more for each token, and the speed of those who have
 * their first token would be paid for by all who wait for theirs. Beyond some prompts there is
 * little left to save.
 *
 * <p>It goes by what it sees: how long steps without prompts take of late, and how much longer
 * those with prompts took for each of their tokens. So it holds whatever a token costs; those of a
 * long prompt attend to more and more, and cost several times as much as a row of an answer in the
 * end. To see it, now and then a step without prompts comes between.
 */
final class StepCost {

  /** How much longer a step with prompts may take. */
  private static final double ALLOWED = 0.7;

  /** Of so many steps with answers and prompts, one takes no prompt. */
  private static final int BETWEEN = 16;

  /** Prompts that count: a step for these is large enough to cost little more than its rows. */
  private static final int MOST_PROMPTS = 8;

  /** What is left of a step's weight at the next of its kind; those without prompts are few. */
  private static final double PLAIN_DECAY = 0.6;

  private static final double MIXED_DECAY = 0.8;

  /** How far one of these that is quicker than one without prompts pulls the latter down. */
  private static final double OUTDATED = 0.3;

  /** How much the latest steps count. */
  private static final double LATEST = 0.15;

  private final int most;
  private int mixed;

  /**
   * As many tokens of prompts take as long as a step without them, less its rows: in that, about
   * what reading the weights takes. Below zero where a token costs more than a row.
   */
  private double fixedRows = 4;

  /** Mean seconds of the latest steps without prompts, and their weight. */
  private double plainSeconds;

  private double plainWeight;

  /** Of the latest steps with prompts: seconds beyond one without, and tokens of prompts. */
  private double moreSeconds;

  private double promptTokens;

  /**
   * @param most tokens that a step may have at all
   */
  StepCost(int most) {
    this.most = most;
  }

  /**
   * Tokens of prompts for a step; now and then none where there is something else to compute.
   *
   * @param decoding rows of answers under way
   * @param prompts that are to be computed, at least one
   */
  int budget(int decoding, int prompts) {
    if (decoding == 0) {
      return most;
    }
    if (++mixed % BETWEEN == 0) {
      return 0;
    }
    var others = Math.min(prompts, MOST_PROMPTS) - 1;
    var tokens = others + ALLOWED * (fixedRows + decoding + others);
    return (int) Math.clamp(tokens, 1, Math.max(1, most - decoding));
  }

  /** A step of so many rows of answers and tokens of prompts has taken so long. */
  void took(int decoding, int tokens, double seconds) {
    if (decoding == 0) {
      return; // nobody waited for a next token
    }
    if (tokens == 0) {
      plainWeight = PLAIN_DECAY * plainWeight + 1;
      plainSeconds += (seconds - plainSeconds) / plainWeight;
    } else if (plainWeight > 0) {
      tookMixed(decoding, tokens, seconds);
    }
  }

  private void tookMixed(int decoding, int tokens, double seconds) {
    if (seconds < plainSeconds) {
      // The machine is quicker than it was, or there are fewer answers.
      plainSeconds += OUTDATED * (seconds - plainSeconds);
    }
    moreSeconds = MIXED_DECAY * moreSeconds + seconds - plainSeconds;
    promptTokens = MIXED_DECAY * promptTokens + tokens;
    if (moreSeconds > 0) {
      var asLong = Math.clamp(plainSeconds * promptTokens / moreSeconds, 1, most);
      fixedRows += LATEST * (asLong - decoding - fixedRows);
    }
  }
}
