package dev.vllmmlx.text.tokenizer;

import java.util.function.IntPredicate;

/**
 * Ids in one by one, text out as soon as it is certain. However ids are spread over calls, the text
 * is what {@link Tokenizer#decode} gives for all of them: characters that several tokens make come
 * out whole, a leading space that the tokenizer put there is left out, special tokens are skipped
 * or kept.
 *
 * <p>Work and memory a token do not grow with the text. Not for several threads at once.
 */
public final class StreamingDetokenizer {
  private final Tokenizer tokenizer;
  private final IntPredicate skipped;
  private final StringBuilder ready = new StringBuilder();
  private final DecoderStep.Pieces pieces;
  private boolean finished;

  StreamingDetokenizer(Tokenizer tokenizer, Decoder decoder, IntPredicate skipped) {
    this.tokenizer = tokenizer;
    this.skipped = skipped;
    this.pieces = decoder.into(ready);
  }

  /** The text that {@code id} makes certain; often empty, never ending inside a character. */
  public String feed(int id) {
    if (finished) {
      throw new IllegalStateException("finish() was called: a text has one end");
    }
    add(id);
    return take();
  }

  /** What was held back to the end; bytes that never became a character are U+FFFD. */
  public String finish() {
    if (!finished) {
      finished = true;
      pieces.end();
    }
    return take();
  }

  void add(int id) {
    var token = tokenizer.tokenOrNull(id);
    if (token != null && !skipped.test(id)) {
      pieces.take(token);
    }
  }

  private String take() {
    var text = ready.toString();
    ready.setLength(0);
    return text;
  }
}
