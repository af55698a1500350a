package dev.vllmmlx.mlx.batched;

/**
 * How many tokens of prompts a step may take beside its decoding rows, so that these do not wait
 * twice as long for their next token as they would alone. It learns from the steps that were: what
 * those of so many decoding rows take, and what a token of a prompt adds.
 */
final class StepCost {

  /** Of a step without prompts, how much longer one with prompts may take. */
  private static final double ALLOWED = 0.75;

  /** How much the latest step counts. */
  private static final double LATEST = 0.2;

  /** Before anything is known. */
  private static final int FIRST_GUESS = 8;

  private final int most;

  /** Seconds of a step with so many decoding rows and nothing else; 0 where there was none. */
  private final double[] decoding;

  /** Seconds that a token of a prompt adds to a step. */
  private double token;

  StepCost(int maxRows, int most) {
    this.most = most;
    this.decoding = new double[maxRows + 1];
  }

  /** Tokens of prompts for a step of so many decoding rows; at least one. */
  int budget(int rows) {
    if (rows == 0) {
      return most;
    }
    var alone = alone(rows);
    if (alone == 0 || token == 0) {
      return Math.min(most, FIRST_GUESS);
    }
    return (int) Math.clamp(ALLOWED * alone / token, 1, Math.max(1, most - rows));
  }

  /**
   * The time of that many rows, or else of the next lower number that is known, or the next higher.
   */
  private double alone(int rows) {
    for (var n = rows; n > 0; n--) {
      if (decoding[n] > 0) {
        return decoding[n];
      }
    }
    for (var n = rows; n < decoding.length; n++) {
      if (decoding[n] > 0) {
        return decoding[n] * rows / n;
      }
    }
    return 0;
  }

  /**
   * A step has taken so long.
   *
   * @param rows that decoded
   * @param tokens of prompts beside them
   */
  void took(int rows, int tokens, double seconds) {
    if (tokens == 0) {
      decoding[rows] = mean(decoding[rows], seconds);
    } else if (rows > 0 && alone(rows) > 0) {
      token = mean(token, Math.max(0, seconds - alone(rows)) / tokens);
    }
  }

  private static double mean(double before, double latest) {
    return before == 0 ? latest : before + LATEST * (latest - before);
  }
}
