package dev.vllmmlx.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerFolderTest {
  @TempDir Path folder;

  /** The id that a further token gets. */
  private int next;

  @BeforeEach
  void copyTokenizer() throws IOException {
    Files.copy(
        TestTokenizers.folder("gpt2").resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
    next = load().vocabularySize();
  }

  private void write(String name, String text) throws IOException {
    Files.createDirectories(folder.resolve(name).getParent());
    Files.writeString(folder.resolve(name), text);
  }

  private Tokenizer load() {
    return Tokenizer.fromFolder(folder);
  }

  @Test
  void loadsWithoutAnyOtherFile() {
    var tokenizer = load();
    assertThat(tokenizer.specialTokens()).isEqualTo(SpecialTokens.NONE);
    assertThat(tokenizer.chatTemplates().source()).isEmpty();
    assertThat(tokenizer.bosId()).isEmpty();
  }

  // --- ends

  @Test
  void endsAtWhatAnyFileDeclares() throws IOException {
    write("tokenizer_config.json", "{\"eos_token\": {\"content\": \"!\"}}");
    write("generation_config.json", "{\"eos_token_id\": [7, 8]}");
    write("config.json", "{\"eos_token_id\": 9, \"text_config\": {\"eos_token_id\": 10}}");
    var tokenizer = load();
    var bang = tokenizer.idOf("!").orElseThrow();
    assertThat(tokenizer.eosId()).hasValue(bang);
    // 0 is <|endoftext|>, which is well known.
    assertThat(tokenizer.endOfGenerationIds()).containsExactlyInAnyOrder(0, bang, 7, 8, 9, 10);
    assertThat(tokenizer.isEndOfGeneration(9)).isTrue();
    assertThat(tokenizer.isEndOfGeneration(11)).isFalse();
  }

  @Test
  void endsAtAWellKnownTokenOnlyWhereItIsSpecial() throws IOException {
    write("tokenizer_config.json", added("<|im_end|>", next, false));
    assertThat(load().endOfGenerationIds()).containsExactly(0);
    write("tokenizer_config.json", added("<|im_end|>", next, true));
    assertThat(load().endOfGenerationIds()).containsExactly(0, next);
  }

  @Test
  void doesNotEndAtAHarmonyMessagesEnd() throws IOException {
    write("tokenizer_config.json", added("<|end|>", next, true));
    assertThat(load().endOfGenerationIds()).containsExactly(0, next);
    write(
        "tokenizer_config.json",
        """
        {"added_tokens_decoder": {
          "%d": {"content": "<|end|>", "special": true},
          "%d": {"content": "<|return|>", "special": true}}}
        """
            .formatted(next, next + 1));
    assertThat(load().endOfGenerationIds()).containsExactly(0, next + 1);
  }

  @Test
  void endsAtATurnsEndThatOnlyTheVocabularyKnows() {
    var tokenizer = TestTokenizers.load("llama3");
    assertThat(tokenizer.endOfGenerationIds())
        .containsExactly(
            tokenizer.idOf("<|end_of_text|>").orElseThrow(),
            tokenizer.idOf("<|eot_id|>").orElseThrow());
  }

  private static String added(String content, int id, boolean special) {
    return "{\"added_tokens_decoder\": {\"%d\": {\"content\": \"%s\", \"special\": %b}}}"
        .formatted(id, content, special);
  }

  // --- tokens of the files beside

  @Test
  void encodesTokensThatOnlyTheConfigurationAdds() throws IOException {
    write("tokenizer_config.json", added("<|mine|>", next, true));
    var tokenizer = load();
    assertThat(tokenizer.encode("<|mine|>", false)).containsExactly(next);
    assertThat(tokenizer.decode(new int[] {next}, true)).isEmpty();
    assertThat(tokenizer.vocabularySize()).isEqualTo(next + 1);
  }

  @Test
  void givesAddedTokensTheIdsThatEncodingGives() throws IOException {
    write("tokenizer_config.json", added("<|far|>", next + 50, true));
    var tokenizer = load();
    assertThat(tokenizer.encode("<|far|>", false)).containsExactly(next);
    assertThat(tokenizer.idOf("<|far|>")).hasValue(next);
  }

  @Test
  void readsTokensOfTheOlderFile() throws IOException {
    write("added_tokens.json", "{\"<tool>\": %d, \"<|endoftext|>\": 0}".formatted(next));
    var tokenizer = load();
    assertThat(tokenizer.encode("<tool>", false)).containsExactly(next);
    assertThat(tokenizer.isSpecial(next)).isFalse();
    assertThat(tokenizer.isSpecial(0)).isTrue();
  }

  @Test
  void countsATokenWithARoleAsSpecial() throws IOException {
    write("special_tokens_map.json", "{\"pad_token\": \"~\", \"eos_token\": \"x\"}");
    write(
        "tokenizer_config.json", "{\"eos_token\": \"!\", \"additional_special_tokens\": [\"#\"]}");
    var tokenizer = load();
    assertThat(tokenizer.specialTokens().templateVariables())
        .containsEntry("pad_token", "~")
        .containsEntry("eos_token", "!")
        .containsEntry("additional_special_tokens", java.util.List.of("#"));
    assertThat(tokenizer.decode(tokenizer.encode("a~b!c#", false), true)).isEqualTo("abc");
  }

  @Test
  void neverCutsOrPads() {
    var tokenizer = TestTokenizers.load("wordpiece");
    assertThat(tokenizer.encode("the fox", true)).hasSizeLessThan(16);
    assertThat(tokenizer.encode("the fox ".repeat(20), true)).hasSizeGreaterThan(40);
  }

  // --- chat templates

  @Test
  void findsATemplateInTheConfiguration() throws IOException {
    write("tokenizer_config.json", "{\"chat_template\": \"{{ a }}\\n\"}");
    assertThat(load().chatTemplates().source()).contains("{{ a }}\n");
  }

  @Test
  void findsNamedTemplatesInTheConfiguration() throws IOException {
    write(
        "tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"default\", \"template\": \"D\"},"
            + " {\"name\": \"tool_use\", \"template\": \"T\"}]}");
    assertThat(load().chatTemplates().named())
        .containsOnly(java.util.Map.entry("default", "D"), java.util.Map.entry("tool_use", "T"));
  }

  @Test
  void prefersTemplateFiles() throws IOException {
    write("chat_template.json", "{\"chat_template\": \"json\"}");
    assertThat(load().chatTemplates().source()).contains("json");
    write("tokenizer_config.json", "{\"chat_template\": \"config\"}");
    assertThat(load().chatTemplates().source()).contains("config");
    write("chat_template.jinja", "file\r\nlines");
    write("additional_chat_templates/rag.jinja", "rag");
    assertThat(load().chatTemplates().source()).contains("file\nlines");
    assertThat(load().chatTemplates().source("rag")).contains("rag");
  }

  // --- what cannot be read

  @Test
  void saysWhichFileIsMissing() throws IOException {
    Files.delete(folder.resolve("tokenizer.json"));
    assertThatThrownBy(this::load)
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("tokenizer.json");
    write("tokenizer.model", "");
    assertThatThrownBy(this::load).hasMessageContaining("tokenizer.model");
  }

  @Test
  void saysWhichFileIsBroken() throws IOException {
    write("generation_config.json", "{");
    assertThatThrownBy(this::load)
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("generation_config.json");
    write("generation_config.json", "{}");
    for (var json :
        new String[] {"", "[]", "{}", "{\"model\": 3}", "{\"model\": {\"vocab\": {}}}"}) {
      write("tokenizer.json", json);
      assertThatThrownBy(this::load).as(json).isInstanceOf(TokenizerException.class);
    }
  }

  @Test
  void namesADecoderThatIsNotKnown() throws IOException {
    var json = Files.readString(folder.resolve("tokenizer.json"));
    var decoder = "\"decoder\":{\"type\":\"ByteLevel\"";
    assertThat(json).contains(decoder);
    write("tokenizer.json", json.replace(decoder, "\"decoder\":{\"type\":\"CTC\""));
    assertThatThrownBy(this::load)
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("CTC");
  }
}
