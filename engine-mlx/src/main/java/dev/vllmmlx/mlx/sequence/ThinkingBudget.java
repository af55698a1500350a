package dev.vllmmlx.mlx.sequence;

import dev.vllmmlx.mlx.sample.LogitsProcessor;
import dev.vllmmlx.mlx.sample.TokenHistory;
import java.util.Arrays;

/**
 * Closes a model's thinking when it has become long enough: from then on the closing mark's tokens
 * are all that may follow. Not for several threads at once.
 */
public final class ThinkingBudget implements LogitsProcessor {
  private final int limit;
  private final int[] close;
  private final int[] open;
  private final int[] latest;
  private boolean thinking;
  private boolean over;
  private int answered;
  private int thought;
  private int closing = -1;

  /**
   * @param limit tokens of thinking, 0 or more
   * @param open the mark that opens thinking, where an answer begins with it
   * @param close the mark that closes it; not empty
   * @param thinking whether the answer begins inside of thinking
   */
  public ThinkingBudget(int limit, int[] open, int[] close, boolean thinking) {
    this.limit = limit;
    this.open = open.clone();
    this.close = close.clone();
    this.latest = new int[close.length];
    this.thinking = thinking;
    this.closing = thinking && limit == 0 ? 0 : -1;
  }

  @Override
  public void process(float[] logits, TokenHistory history) {
    if (closing >= 0) {
      Arrays.fill(logits, Float.NEGATIVE_INFINITY);
      logits[close[closing]] = 0;
    }
  }

  /** The answer's next token is chosen. */
  void took(int token) {
    if (over) {
      return;
    }
    if (closing >= 0) {
      over = ++closing == close.length;
      closing = over ? -1 : closing;
    } else if (thinking) {
      System.arraycopy(latest, 1, latest, 0, latest.length - 1);
      latest[latest.length - 1] = token;
      over = ++thought >= close.length && Arrays.equals(latest, close);
      if (!over && thought >= limit) {
        closing = 0;
      }
    } else {
      over = answered >= open.length || open[answered] != token;
      thinking = !over && answered + 1 == open.length;
      closing = thinking && limit == 0 ? 0 : -1;
      answered++;
    }
  }
}
