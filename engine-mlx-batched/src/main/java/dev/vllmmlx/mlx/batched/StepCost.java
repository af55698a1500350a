package dev.vllmmlx.mlx.batched;

/**
 * How many tokens of prompts a step may take beside its decoding rows, so that these do not wait
 * twice as long for their next token as they would alone.
 *
 * <p>A step of n rows takes about {@code a + b n} seconds: the weights are read once, and each row
 * is computed. It learns {@code a / b}, by least squares over the latest steps; a machine that is
 * slower for a while changes both alike.
 */
final class StepCost {

  /** Of a step without prompts, how much longer one with prompts may take. */
  private static final double ALLOWED = 0.75;

  /** What is left of a step's weight at the next. */
  private static final double DECAY = 0.98;

  /** How much the latest steps count in the ratio. */
  private static final double LATEST = 0.05;

  /** Steps of more rows are another matter: prompts alone. */
  private static final int LARGEST = 128;

  /** Of row counts: with less, nothing can be learned of what a row costs. */
  private static final double LEAST_VARIANCE = 1;

  private final int most;

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

  /** Tokens of prompts for a step of so many decoding rows; at least one. */
  int budget(int decoding) {
    if (decoding == 0) {
      return most;
    }
    return (int) Math.clamp(ALLOWED * (fixedRows + decoding), 1, Math.max(1, most - decoding));
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
    var start = seconds / weight - slope * rows / weight;
    var ratio = slope <= 0 ? most : Math.clamp(start / slope, 1, most);
    fixedRows += LATEST * (ratio - fixedRows);
  }

  private static double square(double v) {
    return v * v;
  }
}
