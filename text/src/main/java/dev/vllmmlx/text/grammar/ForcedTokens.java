package dev.vllmmlx.text.grammar;

import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Tokens for text that must follow: exactly those that the tokenizer gives, or none.
 *
 * <p>The text is encoded together with the last tokens before it, since it may go on where they
 * stop. Then tokens at its end are dropped that later text could change: where a token of the
 * vocabulary begins in the text and reaches beyond its end, a later cut is possible there, and only
 * the tokens that all such cuts have in common are kept. It happens between two steps of a model:
 * long text is taken in pieces, and one with many such cuts is left to the model.
 */
record ForcedTokens(Tokenizer tokenizer, TokenBytes vocabulary) {
  private static final int CONTEXT_TOKENS = 4;

  /** Fewer bytes than this are not worth an encoding. */
  private static final int FEWEST_BYTES = 2;

  private static final int MOST_BYTES = 256;
  private static final int MOST_CUTS = 32;

  private static final int[] NONE = {};

  /**
   * @param accepted the tokens before
   * @param count how many of these there are
   * @param allForced what must follow, in bytes; a special token is 0xFF and its id in brackets
   */
  int[] tokens(int[] accepted, int count, byte[] allForced) {
    var forced = Arrays.copyOf(allForced, Math.min(allForced.length, MOST_BYTES));
    var tokens = IntStream.builder();
    var context = context(accepted, count);
    var from = 0;
    for (var mark = special(forced, 0); mark >= 0; mark = special(forced, from)) {
      // Text before a special token ends there, whatever comes later.
      var text = encoded(context, Arrays.copyOfRange(forced, from, mark));
      var close = closingBracket(forced, mark);
      if (text == null || close < 0) {
        return tokens.build().toArray();
      }
      Arrays.stream(text).forEach(tokens);
      tokens.add(
          Integer.parseInt(
              new String(forced, mark + 2, close - mark - 2, StandardCharsets.US_ASCII)));
      context = new byte[0];
      from = close + 1;
    }
    var rest = forced.length - from < FEWEST_BYTES ? 0 : forced.length;
    var text = Arrays.copyOfRange(forced, from, Math.max(from, wholeCharacters(forced, rest)));
    var last = encoded(context, text);
    if (last != null) {
      Arrays.stream(stable(last, context, text)).forEach(tokens);
    }
    return tokens.build().toArray();
  }

  private static int special(byte[] forced, int from) {
    for (var i = from; i < forced.length; i++) {
      if (forced[i] == TokenBytes.SPECIAL_MARK) {
        return i;
      }
    }
    return -1;
  }

  private static int closingBracket(byte[] forced, int from) {
    for (var i = from; i < forced.length; i++) {
      if (forced[i] == ']') {
        return i;
      }
    }
    return -1;
  }

  /** The tokens of {@code text}, behind {@code context} if a token ends with it; null for none. */
  private int[] encoded(byte[] context, byte[] text) {
    if (text.length == 0) {
      return NONE;
    }
    var tokens = context.length == 0 ? null : behind(context, text);
    return tokens == null ? behind(new byte[0], text) : tokens;
  }

  /** The bytes of the last tokens, from a whole character on. */
  private byte[] context(int[] accepted, int count) {
    var bytes = new ByteArrayOutputStream();
    for (var i = Math.max(0, count - CONTEXT_TOKENS); i < count; i++) {
      if (vocabulary.isControl(accepted[i])) {
        bytes.reset(); // nothing merges across it
      } else {
        bytes.writeBytes(vocabulary.text(accepted[i]));
      }
    }
    var context = bytes.toByteArray();
    var from = 0;
    while (from < context.length && isContinuation(context[from])) {
      from++;
    }
    return Arrays.copyOfRange(context, from, context.length);
  }

  /** The tokens of {@code text} behind {@code context}; null where no token begins there. */
  private int[] behind(byte[] context, byte[] text) {
    var all = new byte[context.length + text.length];
    System.arraycopy(context, 0, all, 0, context.length);
    System.arraycopy(text, 0, all, context.length, text.length);
    var ids = tokenizer.encode(new String(all, StandardCharsets.UTF_8), false);
    var at = 0;
    var first = -1;
    for (var i = 0; i < ids.length; i++) {
      if (at == context.length && first < 0) {
        first = i;
      }
      var token = vocabulary.text(ids[i]);
      if (at + token.length > all.length
          || !Arrays.equals(token, 0, token.length, all, at, at + token.length)) {
        return null; // the tokenizer adds or normalizes
      }
      at += token.length;
    }
    return first < 0 || at != all.length ? null : Arrays.copyOfRange(ids, first, ids.length);
  }

  private int[] stable(int[] tokens, byte[] context, byte[] text) {
    var kept = tokens.length;
    var cuts = 0;
    for (var from = Math.max(0, text.length - vocabulary.longest() + 1);
        from < text.length && kept > 0;
        from++) {
      if (vocabulary.hasLonger(text, from)) {
        if (++cuts > MOST_CUTS) {
          return NONE;
        }
        var cut = Arrays.copyOf(text, wholeCharacters(text, from));
        var others = encoded(context, cut);
        kept = Math.min(kept, others == null ? 0 : common(tokens, others));
      }
    }
    return Arrays.copyOf(tokens, kept);
  }

  private static int common(int[] one, int[] other) {
    var at = Arrays.mismatch(one, other);
    return at < 0 ? one.length : at;
  }

  /** The most of the first {@code length} bytes that ends with a whole character. */
  private static int wholeCharacters(byte[] text, int length) {
    var start = length;
    while (start > 0 && isContinuation(text[start - 1])) {
      start--;
    }
    if (start == 0) {
      return 0;
    }
    var lead = text[start - 1] & 0xFF;
    var size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return length - start + 1 == size ? length : start - 1;
  }

  private static boolean isContinuation(byte b) {
    return (b & 0xC0) == 0x80;
  }
}
