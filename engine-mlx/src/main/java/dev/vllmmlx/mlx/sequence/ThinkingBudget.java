package dev.vllmmlx.mlx.sequence;

import dev.vllmmlx.mlx.sample.LogitsProcessor;
import dev.vllmmlx.mlx.sample.TokenHistory;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Closes a model's thinking when it has become long enough: from then on the closing mark's tokens
 * are all that may follow. Marks are found in the text, whatever tokens they came in. Not for
 * several threads at once.
 */
public final class ThinkingBudget implements LogitsProcessor {
  /** The bytes of the longest character. */
  private static final int CHARACTER = 4;

  private final int limit;
  private final String open;
  private final String close;
  private final int[] closeTokens;
  private final Tokenizer tokenizer;

  /** The answer's beginning, or the end of its thinking, a character for each byte. */
  private final StringBuilder text = new StringBuilder();

  private boolean thinking;
  private boolean over;
  private int thought;
  private int closing = -1;

  /**
   * @param limit tokens of thinking, 0 or more
   * @param open the mark that opens thinking, where an answer begins with it
   * @param close the mark that closes it; not empty
   * @param thinking whether the answer begins inside of thinking
   */
  public ThinkingBudget(
      int limit, String open, String close, Tokenizer tokenizer, boolean thinking) {
    this.limit = limit;
    this.open = bytes(open.getBytes(StandardCharsets.UTF_8));
    this.close = bytes(close.getBytes(StandardCharsets.UTF_8));
    this.closeTokens = tokenizer.encode(close, false);
    this.tokenizer = tokenizer;
    this.thinking = thinking;
    this.closing = thinking && limit == 0 ? 0 : -1;
  }

  @Override
  public void process(float[] logits, TokenHistory history) {
    if (closing >= 0) {
      Arrays.fill(logits, Float.NEGATIVE_INFINITY);
      logits[closeTokens[closing]] = 0;
    }
  }

  /** The answer's next token is chosen. */
  void took(int token) {
    if (over) {
      return;
    }
    if (closing >= 0) {
      over = ++closing == closeTokens.length;
      closing = over ? -1 : closing;
      return;
    }
    text.append(textOf(token));
    if (thinking) {
      think();
    } else {
      begin();
    }
  }

  private void think() {
    thought++;
    over = text.indexOf(close) >= 0;
    text.delete(
        0, text.length() - Math.min(text.length(), Math.max(close.length(), CHARACTER) - 1));
    // A mark inside of a character would be no text, and a constraint would not admit it.
    if (!over && thought >= limit && (thought >= limit + CHARACTER || !endsInsideOfCharacter())) {
      closing = 0;
    }
  }

  private boolean endsInsideOfCharacter() {
    for (var back = 1; back < Math.min(text.length() + 1, CHARACTER); back++) {
      var each = text.charAt(text.length() - back);
      if ((each & 0xC0) != 0x80) {
        return (each >= 0xF0 ? 4 : each >= 0xE0 ? 3 : each >= 0xC0 ? 2 : 1) > back;
      }
    }
    return false;
  }

  private void begin() {
    var beginning = text.toString().stripLeading();
    thinking = beginning.startsWith(open);
    over = !thinking && !open.startsWith(beginning);
    closing = thinking && limit == 0 ? 0 : -1;
  }

  private String textOf(int token) {
    return bytes(
        tokenizer.isSpecial(token)
            ? tokenizer.tokenOf(token).orElse("").getBytes(StandardCharsets.UTF_8)
            : tokenizer.tokenBytes(token));
  }

  private static String bytes(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
