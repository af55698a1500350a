package dev.vllmmlx.text.grammar;

import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A vocabulary as bytes: what each token stands for, and which tokens begin with some bytes.
 * Immutable.
 *
 * <p>Special tokens and ends stand behind a byte that is in no text, so that no grammar takes one
 * for the text it is written as.
 */
final class TokenBytes {
  static final byte SPECIAL_MARK = (byte) 0xFF;

  private final Tokenizer tokenizer;
  private final byte[][] bytes;
  private final int[] ends;

  /** The tokens of text in the order of their bytes. */
  private final byte[][] sorted;

  private final int longest;

  TokenBytes(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
    this.bytes = new byte[tokenizer.vocabularySize()][];
    var text = new ArrayList<byte[]>(bytes.length);
    for (var id = 0; id < bytes.length; id++) {
      if (isControl(id)) {
        bytes[id] = marked(tokenizer.tokenOf(id).orElse(""));
      } else {
        bytes[id] = tokenizer.tokenBytes(id);
        text.add(bytes[id]);
      }
    }
    this.sorted = text.toArray(byte[][]::new);
    Arrays.sort(sorted, Arrays::compareUnsigned);
    this.longest = text.stream().mapToInt(each -> each.length).max().orElse(0);
    this.ends =
        tokenizer.endOfGenerationIds().stream()
            .mapToInt(Integer::intValue)
            .filter(id -> id >= 0 && id < bytes.length)
            .toArray();
  }

  private static byte[] marked(String token) {
    var written = token.getBytes(StandardCharsets.UTF_8);
    var marked = new byte[written.length + 1];
    marked[0] = SPECIAL_MARK;
    System.arraycopy(written, 0, marked, 1, written.length);
    return marked;
  }

  /** Whether the token is none of text: special, or an end. */
  boolean isControl(int id) {
    return tokenizer.isSpecial(id) || tokenizer.isEndOfGeneration(id);
  }

  int size() {
    return bytes.length;
  }

  /** The bytes of a token of text; none for another. */
  byte[] text(int id) {
    return isControl(id) ? new byte[0] : bytes[id];
  }

  int[] ends() {
    return ends.clone();
  }

  /** Hands it to the native library; the caller frees the handle. */
  long toNative() {
    var lens = new int[bytes.length];
    var total = 0;
    for (var id = 0; id < bytes.length; id++) {
      lens[id] = bytes[id].length;
      total += lens[id];
    }
    var all = new byte[total];
    var at = 0;
    for (var token : bytes) {
      System.arraycopy(token, 0, all, at, token.length);
      at += token.length;
    }
    return Native.vocabulary(lens, all, ends);
  }

  /** A written text, cut at the special tokens in it. */
  sealed interface Piece {
    record Text(String text) implements Piece {}

    record Special(int id) implements Piece {}
  }

  /** {@code written} as the tokenizer reads it in a prompt: special tokens and text between. */
  List<Piece> pieces(String written) {
    var pieces = new ArrayList<Piece>();
    var from = 0;
    for (var id : tokenizer.encode(written, false)) {
      if (!isControl(id)) {
        continue;
      }
      var token = tokenizer.tokenOf(id).orElseThrow();
      var at = written.indexOf(token, from);
      if (at < 0) {
        continue; // an unknown-token mark, which is not written there
      }
      if (at > from) {
        pieces.add(new Piece.Text(written.substring(from, at)));
      }
      pieces.add(new Piece.Special(id));
      from = at + token.length();
    }
    if (from < written.length()) {
      pieces.add(new Piece.Text(written.substring(from)));
    }
    return pieces;
  }

  /** The longest token of text, in bytes. */
  int longest() {
    return longest;
  }

  /** Whether some token of text is {@code text[from..]} and more. */
  boolean hasLonger(byte[] text, int from) {
    var low = 0;
    var high = sorted.length;
    while (low < high) { // the first token behind text[from..]
      var middle = (low + high) >>> 1;
      var token = sorted[middle];
      if (Arrays.compareUnsigned(token, 0, token.length, text, from, text.length) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    var length = text.length - from;
    return low < sorted.length
        && sorted[low].length > length
        && Arrays.equals(sorted[low], 0, length, text, from, text.length);
  }
}
