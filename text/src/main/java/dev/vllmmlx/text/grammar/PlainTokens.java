package dev.vllmmlx.text.grammar;

import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Tokens of a text that is nothing but text: where the tokenizer would read special tokens in it,
 * or adds a space of its own, the longest tokens that fit are taken instead.
 */
final class PlainTokens {
  private final Tokenizer tokenizer;
  private final TokenBytes vocabulary;
  private Map<ByteBuffer, Integer> ids = Map.of();

  PlainTokens(Tokenizer tokenizer, TokenBytes vocabulary) {
    this.tokenizer = tokenizer;
    this.vocabulary = vocabulary;
  }

  /** As many tokens from the start as the vocabulary has bytes for. */
  int[] of(String text) {
    var tokens = tokenizer.encode(text, false);
    var bytes = text.getBytes(StandardCharsets.UTF_8);
    return Arrays.equals(bytes(tokens), bytes) ? tokens : longest(bytes);
  }

  byte[] bytes(int[] tokens) {
    var bytes = new ByteArrayOutputStream();
    for (var token : tokens) {
      bytes.writeBytes(vocabulary.text(token));
    }
    return bytes.toByteArray();
  }

  private int[] longest(byte[] text) {
    if (ids.isEmpty()) {
      ids = new HashMap<>();
      for (var id = 0; id < vocabulary.size(); id++) {
        ids.put(ByteBuffer.wrap(vocabulary.text(id)), id);
      }
    }
    var tokens = IntStream.builder();
    for (var at = 0; at < text.length; ) {
      var length = Math.min(vocabulary.longest(), text.length - at);
      while (length > 0 && !ids.containsKey(ByteBuffer.wrap(text, at, length))) {
        length--;
      }
      if (length == 0) {
        break;
      }
      tokens.add(ids.get(ByteBuffer.wrap(text, at, length)));
      at += length;
    }
    return tokens.build().toArray();
  }
}
