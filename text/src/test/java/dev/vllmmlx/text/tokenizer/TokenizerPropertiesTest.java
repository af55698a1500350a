package dev.vllmmlx.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class TokenizerPropertiesTest {
  private static final List<Tokenizer> BYTE_LEVEL =
      List.of(
          TestTokenizers.load("gpt2"),
          TestTokenizers.load("llama3"),
          TestTokenizers.load("deepseek"));
  private static final Tokenizer SENTENCE_PIECE = TestTokenizers.load("gemma");

  @Provide
  Arbitrary<String> text() {
    var any = Arbitraries.strings().all().ofMaxLength(40);
    var hard = Arbitraries.longs().map(seed -> Texts.random(new Random(seed)));
    return Arbitraries.oneOf(any, hard);
  }

  @Property(tries = 500)
  void anyTextSurvivesAByteLevelTokenizer(@ForAll("text") String text) {
    for (var tokenizer : BYTE_LEVEL) {
      assertThat(tokenizer.decode(tokenizer.encode(text, false), false))
          .isEqualTo(withoutHalves(text));
    }
  }

  @Property(tries = 500)
  void tokensBytesTogetherAreTheText(@ForAll("text") String text) {
    var expected = withoutHalves(text).getBytes(StandardCharsets.UTF_8);
    for (var tokenizer : BYTE_LEVEL) {
      assertThat(bytes(tokenizer, tokenizer.encode(text, false))).isEqualTo(expected);
    }
    // A SentencePiece vocabulary writes spaces as this mark, and so takes the mark for a space.
    var unmarked = text.replace('\u2581', ' ');
    assertThat(bytes(SENTENCE_PIECE, SENTENCE_PIECE.encode(unmarked, false)))
        .isEqualTo(withoutHalves(unmarked).getBytes(StandardCharsets.UTF_8));
  }

  @Property(tries = 1000)
  void anyIdsStreamTheTextThatTheirBytesAre(
      @ForAll @Size(max = 40) List<@IntRange(max = 799) Integer> ids) {
    for (var tokenizer : BYTE_LEVEL) {
      var array = ids.stream().mapToInt(i -> i).toArray();
      var stream = tokenizer.detokenizer(false);
      var text = new StringBuilder();
      for (var id : array) {
        text.append(stream.feed(id));
      }
      text.append(stream.finish());
      assertThat(text.toString()).isEqualTo(tokenizer.decode(array, false));
      var utf8 = new Utf8Stream();
      assertThat(text.toString()).isEqualTo(utf8.feed(bytes(tokenizer, array)) + utf8.flush());
    }
  }

  @Property(tries = 1000)
  void utf8ComesOutTheSameHoweverItIsSplit(
      @ForAll byte[] bytes, @ForAll @IntRange(min = 1, max = 5) int size) {
    var whole = new Utf8Stream();
    var expected = whole.feed(bytes) + whole.flush();
    var parts = new Utf8Stream();
    var text = new StringBuilder();
    for (var from = 0; from < bytes.length; from += size) {
      text.append(parts.feed(Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + size))));
    }
    assertThat(text.append(parts.flush()).toString()).isEqualTo(expected);
  }

  @Property(tries = 1000)
  void utf8OfAnyTextIsTheText(@ForAll("text") String text) {
    var mended = withoutHalves(text);
    var utf8 = new Utf8Stream();
    assertThat(utf8.feed(mended.getBytes(StandardCharsets.UTF_8)) + utf8.flush()).isEqualTo(mended);
  }

  @Provide
  Arbitrary<List<String>> spacedPieces() {
    var piece = Arbitraries.strings().withChars(" .?!,'nmtsvrex").ofMaxLength(6);
    return piece.list().ofMaxSize(20);
  }

  @Property(tries = 5000)
  void spacesAreCleanedUpTheSameHoweverTextIsSplit(@ForAll("spacedPieces") List<String> pieces) {
    var out = new StringBuilder();
    var stream = new Decoder(List.of(), true).into(out);
    pieces.forEach(stream::take);
    stream.end();
    assertThat(out.toString()).isEqualTo(SpaceCleanup.WHOLE_TEXT.clean(String.join("", pieces)));
  }

  private static byte[] bytes(Tokenizer tokenizer, int[] ids) {
    var bytes = new ByteArrayOutputStream();
    for (var id : ids) {
      bytes.writeBytes(tokenizer.tokenBytes(id));
    }
    return bytes.toByteArray();
  }

  /** The text with U+FFFD for unpaired surrogates, told by way of UTF-32, which has no pairs. */
  private static String withoutHalves(String text) {
    var mended = new StringBuilder();
    text.codePoints()
        .map(point -> point >= 0xD800 && point <= 0xDFFF ? 0xFFFD : point)
        .forEach(mended::appendCodePoint);
    return mended.toString();
  }
}
