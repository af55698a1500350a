package dev.vllmmlx.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TokenizerTest {

  @Test
  void knowsTheBytesOfByteLevelTokens() {
    var tokenizer = TestTokenizers.load("deepseek");
    assertThat(bytes(tokenizer, "Ġreturn")).isEqualTo(" return".getBytes(StandardCharsets.UTF_8));
    assertThat(bytes(tokenizer, "\u00E4")).isEqualTo(new byte[] {(byte) 0xE4});
    // Characters outside the alphabet: the token stands for itself.
    assertThat(bytes(tokenizer, "<｜User｜>")).isEqualTo("<｜User｜>".getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void knowsTheBytesOfSentencePieceTokens() {
    for (var name : new String[] {"llama2", "mistral", "gemma", "metaspace"}) {
      var tokenizer = TestTokenizers.load(name);
      assertThat(bytes(tokenizer, "▁fox")).isEqualTo(" fox".getBytes(StandardCharsets.UTF_8));
      assertThat(bytes(tokenizer, "</s>")).isEqualTo("</s>".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(bytes(TestTokenizers.load("llama2"), "<0xE4>")).isEqualTo(new byte[] {(byte) 0xE4});
  }

  @Test
  void knowsTheBytesOfWordPieceTokens() {
    var tokenizer = TestTokenizers.load("wordpiece");
    var continued =
        IntStream.range(0, tokenizer.vocabularySize())
            .mapToObj(id -> tokenizer.tokenOf(id).orElseThrow())
            .filter(token -> token.startsWith("##"))
            .findFirst()
            .orElseThrow();
    assertThat(bytes(tokenizer, continued))
        .isEqualTo(continued.substring(2).getBytes(StandardCharsets.UTF_8));
    assertThat(bytes(tokenizer, "the")).isEqualTo(" the".getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void takesIdsWithoutATokenForNothing() {
    var tokenizer = TestTokenizers.load("gpt2");
    var size = tokenizer.vocabularySize();
    assertThat(tokenizer.tokenBytes(size)).isEmpty();
    assertThat(tokenizer.tokenBytes(-1)).isEmpty();
    assertThat(tokenizer.isSpecial(-1)).isFalse();
    assertThat(tokenizer.tokenOf(size)).isEmpty();
    assertThat(tokenizer.decode(new int[] {size, -1}, false)).isEmpty();
  }

  @Test
  void mendsUnpairedSurrogatesOnly() {
    var tokenizer = TestTokenizers.load("gpt2");
    var text = "\uDE00a\uD83Db\uD83D\uDE00\uD83D";
    assertThat(tokenizer.decode(tokenizer.encode(text, false), false))
        .isEqualTo("\uFFFDa\uFFFDb\uD83D\uDE00\uFFFD");
  }

  @Test
  void servesManyThreadsAtOnce() throws Exception {
    var tokenizer = TestTokenizers.load("llama3");
    var texts = Texts.all(50, 3);
    var expected = texts.stream().map(text -> tokenizer.encode(text, true)).toList();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var runs =
          IntStream.range(0, 16)
              .mapToObj(
                  _ ->
                      threads.submit(
                          () -> texts.stream().map(t -> tokenizer.encode(t, true)).toList()))
              .toList();
      for (var run : runs) {
        assertThat(run.get()).usingRecursiveComparison().isEqualTo(expected);
      }
    }
  }

  @Test
  void refusesNull() {
    var tokenizer = TestTokenizers.load("gpt2");
    assertThatThrownBy(() -> tokenizer.encode(null, false))
        .isInstanceOf(NullPointerException.class);
  }

  private static byte[] bytes(Tokenizer tokenizer, String token) {
    return tokenizer.tokenBytes(tokenizer.idOf(token).orElseThrow());
  }
}
