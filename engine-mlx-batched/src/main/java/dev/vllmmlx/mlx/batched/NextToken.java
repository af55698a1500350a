package dev.vllmmlx.mlx.batched;

import dev.vllmmlx.mlx.sample.SampledToken;

/** A row's next token: chosen on any thread, then given to the row on the engine's. */
final class NextToken {
  private final Row row;
  private final float[] scores;
  private SampledToken chosen;
  private Throwable fault;

  /**
   * @param scores one for each id of the vocabulary; used up
   */
  NextToken(Row row, float[] scores) {
    this.row = row;
    this.scores = scores;
  }

  Row row() {
    return row;
  }

  /**
   * Nothing else may be done with the row meanwhile. Whatever goes wrong is the row's own fault.
   */
  void choose() {
    try {
      chosen = row.sequence().choose(scores);
    } catch (RuntimeException | Error e) {
      fault = e;
    }
  }

  /** The row goes on by it, or has ended. */
  void give() {
    if (fault != null) {
      row.fail(fault);
      return;
    }
    try {
      if (!row.answered()) {
        row.sequence().started();
      }
      row.sequence().accept(chosen);
    } catch (RuntimeException | Error e) {
      row.fail(e);
    }
  }
}
