package dev.vllmmlx.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.hub.gguf.GgufMetadata;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class GgufTokenizerTest {
  private static final String KEY = "tokenizer.ggml.";

  @TempDir Path folder;

  private Tokenizer load(Map<String, ?> metadata) throws IOException {
    return Tokenizer.fromGguf(
        GgufMetadata.read(GgufFile.write(folder.resolve("some.gguf"), metadata)));
  }

  // --- against Python, on the tokenizer.json that the vocabulary was taken from

  @ParameterizedTest
  @CsvSource({
    "gpt2, gpt2, gpt-2",
    "llama3, gpt2, llama-bpe",
    "qwen2, gpt2, qwen2",
    "deepseek, gpt2, deepseek-v3",
    "gemma, gemma4, ''"
  })
  void givesTheIdsOfTheOriginal(String name, String model, String pre)
      throws IOException, InterruptedException {
    var original = TestTokenizers.folder(name).resolve("tokenizer.json");
    var json = Vocabulary.JSON.readTree(Files.readString(original));
    var metadata = metadata(json, model);
    metadata.put(KEY + "pre", pre);
    if (name.equals("llama3") || name.equals("gemma")) {
      metadata.put(
          KEY + "bos_token_id",
          json.at("/added_tokens").get(name.equals("gemma") ? 1 : 0).path("id").asInt());
    }
    // The format has no room for tokens that take in the spaces beside them, or for those that are
    // looked for after normalization.
    var texts =
        Texts.all(300, 5).stream()
            .filter(text -> !text.matches("(?s).*(left|right|alone|\u00C5|\u212B|A\u030A).*"))
            .toList();
    try (var python = new PythonTokenizers()) {
      python.load(original);
      TokenizerDifferentialTest.sameIds(python, load(metadata), texts);
    }
  }

  private static Map<String, Object> metadata(JsonNode json, String model) {
    var vocabulary = new ArrayList<>(json.at("/model/vocab").properties());
    json.path("added_tokens")
        .forEach(
            token -> {
              if (!json.at("/model/vocab").has(token.path("content").asString())) {
                vocabulary.add(Map.entry(token.path("content").asString(), token.path("id")));
              }
            });
    var tokens = new String[vocabulary.size()];
    vocabulary.forEach(entry -> tokens[entry.getValue().asInt()] = entry.getKey());
    var types = new int[tokens.length];
    Arrays.fill(types, 1);
    json.path("added_tokens")
        .forEach(
            token -> types[token.path("id").asInt()] = token.path("special").asBoolean() ? 3 : 4);
    var merges = new ArrayList<String>();
    json.at("/model/merges")
        .forEach(pair -> merges.add(pair.get(0).asString() + " " + pair.get(1).asString()));
    var metadata = new LinkedHashMap<String, Object>();
    metadata.put(KEY + "model", model);
    metadata.put(KEY + "tokens", List.of(tokens));
    metadata.put(KEY + "token_type", types);
    metadata.put(KEY + "merges", merges);
    return metadata;
  }

  // --- SentencePiece

  @Test
  void mergesByScoreAsSentencePieceDoes() throws IOException {
    var metadata = sentencePiece();
    var tokenizer = load(metadata);
    @SuppressWarnings("unchecked")
    var tokens = (List<String>) metadata.get(KEY + "tokens");
    var scores = (float[]) metadata.get(KEY + "scores");
    var types = (int[]) metadata.get(KEY + "token_type");
    var ids = new HashMap<String, Integer>();
    var normal = new HashMap<String, Float>();
    for (var id = 0; id < tokens.size(); id++) {
      ids.put(tokens.get(id), id);
      if (types[id] == 1) {
        normal.put(tokens.get(id), scores[id]);
      }
    }
    var reference = new SentencePieceReference(ids, normal);
    for (var text : Texts.all(400, 9)) {
      if (!text.matches("(?s).*(<s>|</s>|<unk>).*")) {
        assertThat(tokenizer.encode(text, false))
            .as(text)
            .isEqualTo(reference.encode(text).stream().mapToInt(i -> i).toArray());
        if (!text.contains("\u2581")) {
          assertThat(tokenizer.decode(tokenizer.encode(text, true), true)).isEqualTo(text);
        }
      }
    }
  }

  @Test
  void putsBosAndEosWhereTheFileSays() throws IOException {
    var metadata = sentencePiece();
    assertThat(load(metadata).encode("", true)).containsExactly(1);
    metadata.put(KEY + "add_bos_token", false);
    assertThat(load(metadata).encode("", true)).isEmpty();
    metadata.put(KEY + "add_eos_token", true);
    assertThat(load(metadata).encode("", true)).containsExactly(2);
  }

  @Test
  void leavesTheSpaceInFrontAwayWhereTheFileSays() throws IOException {
    var metadata = sentencePiece();
    metadata.put(KEY + "add_space_prefix", false);
    var tokenizer = load(metadata);
    assertThat(tokenizer.decode(tokenizer.encode(" fox", false), false)).isEqualTo(" fox");
    assertThat(tokenizer.encode("fox", false)).isNotEqualTo(tokenizer.encode(" fox", false));
  }

  /** The vocabulary of a trained tokenizer, scored by rank, as SentencePiece scores its BPE. */
  private static Map<String, Object> sentencePiece() throws IOException {
    var json =
        Vocabulary.JSON.readTree(
            Files.readString(TestTokenizers.folder("llama2").resolve("tokenizer.json")));
    var metadata = metadata(json, "llama");
    @SuppressWarnings("unchecked")
    var tokens = (List<String>) metadata.get(KEY + "tokens");
    var types = (int[]) metadata.get(KEY + "token_type");
    var scores = new float[tokens.size()];
    for (var id = 0; id < scores.length; id++) {
      types[id] = tokens.get(id).matches("<0x[0-9A-F]{2}>") ? 6 : types[id];
      scores[id] = -id;
    }
    types[0] = 2;
    metadata.put(KEY + "token_type", types);
    metadata.put(KEY + "scores", scores);
    return metadata;
  }

  // --- pre-tokenizers

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a.x-4.0",
        "bailingmoe",
        "bailingmoe2",
        "bloom",
        "chatglm-bpe",
        "codeshell",
        "cohere2moe",
        "command-r",
        "dbrx",
        "deepseek-coder",
        "deepseek-llm",
        "deepseek-r1-qwen",
        "deepseek-v3",
        "exaone",
        "exaone4",
        "f2llmv2",
        "falcon",
        "falcon-h1",
        "falcon3",
        "gigachat",
        "glm4",
        "glm5",
        "gpt-2",
        "gpt-4o",
        "gpt3-finnish",
        "granite-docling",
        "grok-2",
        "hunyuan",
        "hunyuan-dense",
        "hy_v4",
        "jais",
        "joyai-llm",
        "kanana2",
        "kimi-k2",
        "kormo",
        "lfm2",
        "llada-moe",
        "llama-bpe",
        "llama-v3",
        "llama3",
        "llama4",
        "megrez",
        "mellum",
        "mellum2",
        "midm-2.0",
        "minerva-7b",
        "minicpm5",
        "minimax-m2",
        "mpt",
        "olmo",
        "phi-2",
        "pixtral",
        "poro-chat",
        "qwen2",
        "qwen35",
        "refact",
        "seed-coder",
        "smaug-bpe",
        "smollm",
        "solar-open",
        "stablelm2",
        "starcoder",
        "superbpe",
        "tekken",
        "tiny_aya",
        "trillion",
        "viking",
        "default"
      })
  void keepsTextWholeWithEveryPreTokenizer(String pre) throws IOException {
    var tokenizer = load(bytesOnly(pre));
    for (var text : Texts.all(20, 1)) {
      // Some bring text to this form first, and give it back so.
      if (Normalizer.isNormalized(text, Normalizer.Form.NFC)) {
        assertThat(tokenizer.decode(tokenizer.encode(text, false), false)).isEqualTo(text);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      delimiter = ';',
      value = {
        "gpt-2 ; don't 1234 abc  def ; don|'t| 1234| abc| | def",
        "smollm ; x12 34 ; x|1|2| |3|4",
        "llama-bpe ; DON'T 12345 (abc ; DON|'T| |123|45| (|abc",
        "qwen2 ; a12 b ; a|1|2| b",
        "tekken ; HelloWorld's12 ; Hello|World|'s|1|2",
        "gpt-4o ; HelloWorld's123 4 ; Hello|World's|123| |4",
        "kimi-k2 ; 你好abc世界123 ; 你好|abc|世界|123",
        "falcon ; a (b) 1234 ; a| |(|b|)| |123|4",
        "deepseek-v3 ; a漢字b 1234 ; a|漢字|b| |123|4",
        "bloom ; a, b (c ; a|,| b| (|c",
        "superbpe ; 1234567 ; 1|234|567"
      })
  void cutsWordsAsThePublishedOneDoes(String pre, String text, String pieces) throws IOException {
    assertThat(pieces(pre, text)).isEqualTo(pieces);
  }

  /** Where the text is cut, seen through a vocabulary that would join everything. */
  private String pieces(String pre, String text) throws IOException {
    var cuts = new StringBuilder(text.substring(0, text.offsetByCodePoints(0, 1)));
    for (var at = cuts.length();
        at < text.length();
        at += Character.charCount(text.codePointAt(at))) {
      cuts.append(joinedAcross(pre, text, at) ? "" : "|");
      cuts.appendCodePoint(text.codePointAt(at));
    }
    return cuts.toString();
  }

  /** Whether a merge of the bytes on both sides of {@code at} takes place. */
  private boolean joinedAcross(String pre, String text, int at) throws IOException {
    var left = stand(text.substring(0, at).getBytes(StandardCharsets.UTF_8), -1);
    var right = stand(text.substring(at).getBytes(StandardCharsets.UTF_8), 0);
    var metadata = bytesOnly(pre);
    @SuppressWarnings("unchecked")
    var tokens = new ArrayList<>((List<String>) metadata.get(KEY + "tokens"));
    tokens.add(left + right);
    metadata.put(KEY + "tokens", tokens);
    metadata.put(KEY + "token_type", new int[tokens.size()]);
    metadata.put(KEY + "merges", List.of(left + " " + right));
    var tokenizer = load(metadata);
    var position = 0;
    var cut = text.substring(0, at).getBytes(StandardCharsets.UTF_8).length;
    for (var id : tokenizer.encode(text, false)) {
      var end = position + tokenizer.tokenBytes(id).length;
      if (position < cut && cut < end) {
        return true;
      }
      position = end;
    }
    return false;
  }

  private static String stand(byte[] bytes, int index) {
    return Character.toString(ByteAlphabet.charOf(bytes[index < 0 ? bytes.length - 1 : index]));
  }

  private static Map<String, Object> bytesOnly(String pre) {
    var tokens = new ArrayList<String>();
    for (var b = 0; b < 256; b++) {
      tokens.add(Character.toString(ByteAlphabet.charOf((byte) b)));
    }
    var metadata = new LinkedHashMap<String, Object>();
    metadata.put(KEY + "model", "gpt2");
    metadata.put(KEY + "pre", pre);
    metadata.put(KEY + "tokens", tokens);
    metadata.put(KEY + "merges", List.of());
    return metadata;
  }

  // --- what stands beside the tokenizer

  @Test
  void readsRolesEndsAndTemplates() throws IOException {
    var metadata = bytesOnly("gpt-2");
    metadata.put(KEY + "bos_token_id", 1);
    metadata.put(KEY + "eos_token_id", 2);
    metadata.put(KEY + "eot_token_id", 3);
    metadata.put(KEY + "eom_token_id", 4);
    metadata.put(KEY + "padding_token_id", 5);
    metadata.put("tokenizer.chat_template", "main");
    metadata.put("tokenizer.chat_template.tool_use", "tools");
    metadata.put("tokenizer.chat_templates", List.of("tool_use"));
    var tokenizer = load(metadata);
    assertThat(tokenizer.bosId()).hasValue(1);
    assertThat(tokenizer.eosId()).hasValue(2);
    assertThat(tokenizer.endOfGenerationIds()).containsExactly(2, 3, 4);
    assertThat(tokenizer.specialTokens().role("pad_token")).isEqualTo(tokenizer.tokenOf(5));
    assertThat(tokenizer.specialTokens().role("unk_token")).isEmpty();
    assertThat(tokenizer.chatTemplates().source()).contains("main");
    assertThat(tokenizer.chatTemplates().source("tool_use")).contains("tools");
  }

  @ParameterizedTest
  @ValueSource(strings = {"model", "tokens", "merges"})
  void namesTheKeyThatIsMissing(String key) {
    var metadata = bytesOnly("gpt-2");
    metadata.remove(KEY + key);
    assertThatThrownBy(() -> load(metadata))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining(KEY + key);
  }

  @Test
  void namesAModelOrPreTokenizerThatIsNotKnown() {
    var metadata = bytesOnly("gpt-9");
    assertThatThrownBy(() -> load(metadata))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("gpt-9");
    metadata.put(KEY + "model", "rwkv");
    assertThatThrownBy(() -> load(metadata))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("rwkv");
  }

  @Test
  void refusesAnIdBeyondTheVocabulary() {
    var metadata = bytesOnly("gpt-2");
    metadata.put(KEY + "eos_token_id", 256);
    assertThatThrownBy(() -> load(metadata))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("eos_token_id");
  }
}
