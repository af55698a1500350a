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
 * <p>A step of n rows takes about {@code a + b n} seconds: the weights are read once, and each row
 * is computed. It learns {@code a / b}, by least squares over the latest steps; a machine that is
 * slower for a while changes both alike. Rows of a long prompt attend to more and more and cost
 * more than others, so that {@code a} may come out below zero. To see that, now and then a step
 * without prompts comes between.
 */
final class StepCost {

  /** How much longer a step with prompts may take. */
  private static final double ALLOWED = 0.7;

  /** Of so many steps with answers and prompts, one takes no prompt. */
  private static final int BETWEEN = 16;

  /** Prompts that count: a step for these is large enough to cost little more than its rows. */
  private static final int MOST_PROMPTS = 8;

  /** What is left of a step's weight at the next. */
  private static final double DECAY = 0.98;

  /** How much the latest steps count in the ratio. */
  private static final double LATEST = 0.05;

  /** Steps of more rows are another matter: prompts alone. */
  private static final int LARGEST = 128;

  /** Of row counts: with less, nothing can be learned of what a row costs. */
  private static final double LEAST_VARIANCE = 1;

  /** Below which {@code a / b} is noise. */
  private static final double LEAST_FIXED_ROWS = -32;

  private final int most;
  private int mixed;

  /** {@code a / b}: reading the weights takes as long as computing so many rows. */
  private double fixedRows = 4;

  private double weight;
  private double rows;
  private double seconds;
  private double rowsRows;
  private double rowsSeconds;

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

  /** A step of so many rows has taken so long. */
  void took(int stepRows, double stepSeconds) {
    if (stepRows > LARGEST) {
      return;
    }
    weight = DECAY * weight + 1;
    rows = DECAY * rows + stepRows;
    seconds = DECAY * seconds + stepSeconds;
    rowsRows = DECAY * rowsRows + (double) stepRows * stepRows;
    rowsSeconds = DECAY * rowsSeconds + stepRows * stepSeconds;
    var variance = rowsRows / weight - square(rows / weight);
    if (variance < LEAST_VARIANCE) {
      return;
    }
    var slope = (rowsSeconds / weight - rows / weight * seconds / weight) / variance;
    if (slope <= 0) {
      return; // noise
    }
    var start = seconds / weight - slope * rows / weight;
    var ratio = Math.clamp(start / slope, LEAST_FIXED_ROWS, most);
    fixedRows += LATEST * (ratio - fixedRows);
  }

  private static double square(double v) {
    return v * v;
  }
}
