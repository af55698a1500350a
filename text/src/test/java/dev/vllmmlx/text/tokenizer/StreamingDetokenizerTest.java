package dev.vllmmlx.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StreamingDetokenizerTest {
  private final Tokenizer byteLevel = TestTokenizers.load("gpt2");
  private final Tokenizer sentencePiece = TestTokenizers.load("llama2");

  @Test
  void holdsBackAnUnfinishedCharacter() {
    var deltas = feedBytes(byteLevel, "a\uD83D\uDE00b");
    assertThat(deltas).containsExactly("a", "", "", "", "\uD83D\uDE00", "b", "");
  }

  @Test
  void saysWhatIsNoCharacterAsSoonAsThatIsCertain() {
    var stream = byteLevel.detokenizer(false);
    assertThat(stream.feed(byteToken(byteLevel, 0xE4))).isEmpty();
    assertThat(stream.feed(byteToken(byteLevel, 'x'))).isEqualTo("\uFFFDx");
    assertThat(stream.finish()).isEmpty();
  }

  @Test
  void endsAnUnfinishedCharacterAsDecodeDoes() {
    var stream = byteLevel.detokenizer(false);
    assertThat(stream.feed(byteToken(byteLevel, 0xF0))).isEmpty();
    assertThat(stream.feed(byteToken(byteLevel, 0x9F))).isEmpty();
    assertThat(stream.finish()).isEqualTo("\uFFFD");
    assertThat(stream.finish()).isEmpty();
  }

  @Test
  void refusesIdsBehindTheEnd() {
    var stream = byteLevel.detokenizer(false);
    stream.finish();
    assertThatThrownBy(() -> stream.feed(1)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void leavesOutTheSpaceThatTheTokenizerPutInFront() {
    var ids = sentencePiece.encode("the fox", false);
    var stream = sentencePiece.detokenizer(true);
    var first = stream.feed(ids[0]);
    assertThat(first).isNotEmpty().doesNotStartWith(" ");
    assertThat(sentencePiece.decode(ids, true)).isEqualTo("the fox");
  }

  @Test
  void joinsByteTokensToTheirCharacter() {
    var stream = sentencePiece.detokenizer(true);
    for (var b : new int[] {0xF0, 0x9F, 0xA6, 0x99}) {
      assertThat(stream.feed(sentencePiece.idOf("<0x%02X>".formatted(b)).orElseThrow())).isEmpty();
    }
    assertThat(stream.feed(sentencePiece.idOf("a").orElseThrow())).isEqualTo("\uD83E\uDD99a");
  }

  @Test
  void skipsOrKeepsSpecialTokens() {
    var tokenizer = TestTokenizers.load("qwen2");
    var ids = tokenizer.encode("a<|im_end|>b<think>", false);
    assertThat(tokenizer.decode(ids, true)).isEqualTo("ab<think>");
    assertThat(tokenizer.decode(ids, false)).isEqualTo("a<|im_end|>b<think>");
  }

  @Test
  void hidesNoSpacesOfAByteLevelTokenizerThatAsksForCleanUp() {
    var tokenizer = TestTokenizers.load("llama3");
    var code = "a . b , c ? d ! it 's";
    assertThat(tokenizer.decode(tokenizer.encode(code, false), true)).isEqualTo(code);
  }

  /** The millionth token must not cost more than the first. */
  @Test
  void keepsNothingOfWhatItGaveOut() {
    var stream = byteLevel.detokenizer(true);
    var ids = byteLevel.encode("The quick brown fox \uD83D\uDE00 ", false);
    var length = 0L;
    for (var i = 0; i < 1_000_000 / ids.length; i++) {
      for (var id : ids) {
        var delta = stream.feed(id);
        assertThat(delta.length()).isLessThan(20);
        length += delta.length();
      }
    }
    length += stream.finish().length();
    assertThat(length).isEqualTo(1_000_000L / ids.length * 23);
  }

  private static List<String> feedBytes(Tokenizer tokenizer, String text) {
    var stream = tokenizer.detokenizer(false);
    var deltas = new ArrayList<String>();
    for (var b : text.getBytes(java.nio.charset.StandardCharsets.UTF_8)) {
      deltas.add(stream.feed(byteToken(tokenizer, b & 0xFF)));
    }
    deltas.add(stream.finish());
    return deltas;
  }

  private static int byteToken(Tokenizer tokenizer, int b) {
    return tokenizer.idOf(Character.toString(ByteAlphabet.charOf((byte) b))).orElseThrow();
  }
}
