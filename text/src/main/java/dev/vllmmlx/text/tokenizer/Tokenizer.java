package dev.vllmmlx.text.tokenizer;

import dev.vllmmlx.hub.gguf.GgufMetadata;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A model's tokenizer: text to ids and back. Ids are those of Python's {@code tokenizers}, exactly.
 * Immutable; any number of threads may share one.
 */
public final class Tokenizer {
  private final Vocabulary vocabulary;
  private final Decoder decoder;
  private final NativeEncoder encoder;
  private final SpecialTokens specialTokens;
  private final ChatTemplates chatTemplates;
  private final Set<Integer> endIds;

  /**
   * @param json the text of a tokenizer.json
   * @param declaredEnds ids that the checkpoint's other files declare as ends
   * @param cleanUp whether those files ask for {@code clean_up_tokenization_spaces}
   */
  Tokenizer(
      String json,
      SpecialTokens specialTokens,
      ChatTemplates chatTemplates,
      Set<Integer> declaredEnds,
      boolean cleanUp) {
    this.vocabulary = Vocabulary.of(json);
    // Made for tokenizers that split words from punctuation: on BPE, which keeps every space, it
    // would damage text and code.
    this.decoder =
        Decoder.of(vocabulary.decoder(), cleanUp && !vocabulary.modelType().equals("BPE"));
    this.encoder = new NativeEncoder(json);
    this.specialTokens = specialTokens;
    this.chatTemplates = chatTemplates;
    this.endIds =
        Collections.unmodifiableSet(EndTokens.of(vocabulary, specialTokens, declaredEnds));
  }

  /**
   * The tokenizer of a checkpoint's folder: {@code tokenizer.json}, and where they are there {@code
   * tokenizer_config.json}, {@code special_tokens_map.json}, {@code added_tokens.json}, {@code
   * generation_config.json}, {@code config.json} and chat templates.
   *
   * @throws TokenizerException when there is no tokenizer.json, or a file cannot be read
   */
  public static Tokenizer fromFolder(Path folder) {
    return new TokenizerFolder(folder).load();
  }

  /**
   * The tokenizer that a GGUF file's metadata describes.
   *
   * @throws TokenizerException when there is none, or one of a kind not known here; the message
   *     names the key
   */
  public static Tokenizer fromGguf(GgufMetadata metadata) {
    return new GgufTokenizer(metadata).load();
  }

  /**
   * The ids of {@code text}. Special tokens written in the text become their ids. Unpaired
   * surrogates, which no encoding of text can carry, count as U+FFFD.
   *
   * @param addSpecialTokens whether the tokenizer adds what it puts around a text (often a bos
   *     token); a rendered chat template has these already
   */
  public int[] encode(String text, boolean addSpecialTokens) {
    return encoder.encode(withoutLoneSurrogates(text), addSpecialTokens);
  }

  /**
   * The text of {@code ids}. Bytes that are no UTF-8 become U+FFFD. Ids without a token, such as
   * those that pad a model's vocabulary, stand for nothing.
   */
  public String decode(int[] ids, boolean skipSpecialTokens) {
    var text = detokenizer(skipSpecialTokens);
    for (var id : ids) {
      text.add(id);
    }
    return text.finish();
  }

  /** A fresh stream from ids to text. */
  public StreamingDetokenizer detokenizer(boolean skipSpecialTokens) {
    return new StreamingDetokenizer(this, decoder, id -> skipSpecialTokens && isSpecial(id));
  }

  /**
   * A fresh stream from ids to text.
   *
   * @param written the special tokens that are not skipped
   */
  public StreamingDetokenizer detokenizer(Set<Integer> written) {
    return new StreamingDetokenizer(this, decoder, id -> isSpecial(id) && !written.contains(id));
  }

  /** One more than the highest id that has a token; a model's logits may be padded beyond it. */
  public int vocabularySize() {
    return vocabulary.size();
  }

  /**
   * The bytes a token stands for in the middle of a text, which may be part of a character. Empty
   * for an id without a token. For a special token: those of its written form.
   */
  public byte[] tokenBytes(int id) {
    var token = vocabulary.tokenOrNull(id);
    return token == null ? new byte[0] : decoder.bytes(token);
  }

  /** The token as the vocabulary writes it ({@code Ġthe}, {@code ▁the}, {@code <0x0A>}). */
  public Optional<String> tokenOf(int id) {
    return Optional.ofNullable(vocabulary.tokenOrNull(id));
  }

  /** The id of a token as the vocabulary writes it. */
  public OptionalInt idOf(String token) {
    return vocabulary.idOf(token);
  }

  /** Whether the token is one that decoding can skip, such as a turn's end. */
  public boolean isSpecial(int id) {
    return vocabulary.isSpecial(id);
  }

  public OptionalInt bosId() {
    return idOf(specialTokens.bos());
  }

  public OptionalInt eosId() {
    return idOf(specialTokens.eos());
  }

  /**
   * Every id that ends a generation, ascending: what the checkpoint's files declare, and well-known
   * ends of a turn or text that the vocabulary marks as special.
   */
  public Set<Integer> endOfGenerationIds() {
    return endIds;
  }

  public boolean isEndOfGeneration(int id) {
    return endIds.contains(id);
  }

  /** The special tokens as text, by role. */
  public SpecialTokens specialTokens() {
    return specialTokens;
  }

  /** The chat templates that came with the tokenizer. */
  public ChatTemplates chatTemplates() {
    return chatTemplates;
  }

  String tokenOrNull(int id) {
    return vocabulary.tokenOrNull(id);
  }

  private OptionalInt idOf(Optional<String> token) {
    return token.map(vocabulary::idOf).orElse(OptionalInt.empty());
  }

  private static String withoutLoneSurrogates(String text) {
    StringBuilder mended = null;
    for (var i = 0; i < text.length(); i++) {
      if (!Character.isSurrogate(text.charAt(i))) {
        continue;
      }
      if (i + 1 < text.length() && Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1))) {
        i++;
        continue;
      }
      if (mended == null) {
        mended = new StringBuilder(text);
      }
      mended.setCharAt(i, '\uFFFD');
    }
    return mended == null ? text : mended.toString();
  }
}
