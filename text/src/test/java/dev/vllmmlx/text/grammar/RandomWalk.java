package dev.vllmmlx.text.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;

/**
 * A model that knows nothing: takes any allowed token, of short ones sooner, so that texts end.
 *
 * @param forcing whether it takes forced tokens without sampling
 * @param endings texts that end a free text, tried when it has become long
 */
record RandomWalk(Tokenizer tokenizer, boolean forcing, List<String> endings) {

  RandomWalk(Tokenizer tokenizer, boolean forcing) {
    this(tokenizer, forcing, List.of());
  }

  /**
   * @param text what was written, without the end
   * @param tokens the same in tokens
   */
  record Walked(String text, List<Integer> tokens) {}

  /** Walks until the text is whole. */
  Walked walk(ConstraintMatcher matcher, Random random, int longest) {
    var tokens = new ArrayList<Integer>();
    var ending = new ArrayDeque<Integer>();
    while (true) {
      if (forcing) {
        var forced = matcher.forced();
        assertThat(matcher.accept(forced)).isEqualTo(forced.length);
        for (var token : forced) {
          tokens.add(token);
        }
      }
      var allowed = allowed(tokenizer, matcher);
      var mayEnd = tokenizer.endOfGenerationIds().stream().filter(allowed::get).count();
      assertThat(mayEnd)
          .as("ends are allowed all together, and exactly when the text is whole")
          .isEqualTo(matcher.isAccepting() ? tokenizer.endOfGenerationIds().size() : 0);
      var whole = mayEnd > 0;
      if (whole && (matcher.isComplete() || tokens.size() > longest || random.nextInt(3) == 0)) {
        return new Walked(text(tokens), tokens);
      }
      tokenizer.endOfGenerationIds().forEach(allowed::clear);
      if (ending.isEmpty()
          && tokens.size() > longest
          && !endings.isEmpty()
          && random.nextInt(3) == 0) {
        for (var id : tokenizer.encode(endings.get(random.nextInt(endings.size())), false)) {
          ending.add(id);
        }
      }
      var next = ending.poll();
      if (next != null && !allowed.get(next)) {
        ending.clear();
        next = null;
      }
      var token = next != null ? next : choose(allowed, random, tokens.size() > longest);
      assertThat(matcher.accept(token)).as("what the mask allows fits").isTrue();
      tokens.add(token);
      assertThat(tokens).as("the text ends").hasSizeLessThan(20 * longest);
    }
  }

  static BitSet allowed(Tokenizer tokenizer, ConstraintMatcher matcher) {
    var bits = new long[(tokenizer.vocabularySize() + 63) / 64];
    matcher.mask(bits);
    return BitSet.valueOf(bits);
  }

  /** When the text should end, what closes something is taken as soon as it is allowed. */
  private int choose(BitSet allowed, Random random, boolean hurry) {
    var ids = allowed.stream().toArray();
    if (hurry || random.nextInt(4) == 0) {
      for (var closing : List.of("\"", "}", "]", ":", ",")) {
        for (var id : ids) {
          if ((hurry || random.nextBoolean()) && isText(id, closing)) {
            return id;
          }
        }
      }
    }
    return ids[random.nextInt(ids.length)];
  }

  private boolean isText(int id, String text) {
    return Arrays.equals(tokenizer.tokenBytes(id), text.getBytes(StandardCharsets.UTF_8));
  }

  private String text(List<Integer> tokens) {
    var bytes = new ByteArrayOutputStream();
    tokens.forEach(
        id -> {
          if (!tokenizer.isSpecial(id)) {
            bytes.writeBytes(tokenizer.tokenBytes(id));
          } else {
            bytes.writeBytes(tokenizer.tokenOf(id).orElse("").getBytes(StandardCharsets.UTF_8));
          }
        });
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
