package dev.vllmmlx.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.hub.CheckpointSource;
import dev.vllmmlx.hub.HubSettings;
import dev.vllmmlx.hub.ModelReference;
import dev.vllmmlx.hub.Progress;
import dev.vllmmlx.hub.gguf.GgufMetadata;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The tokenizer of the embedded default model, which comes from a GGUF file. */
class SmolLmTokenizerTest {
  private static Path gguf;
  private static Tokenizer tokenizer;

  @BeforeAll
  static void loadDefaultModel() {
    var source = new CheckpointSource(HubSettings.fromEnvironment(System.getenv()));
    var checkpoint = source.resolve(new ModelReference.EmbeddedDefault(), Progress.NONE);
    gguf = checkpoint.path();
    tokenizer = Tokenizer.fromGguf(GgufMetadata.read(gguf));
  }

  @Test
  void givesPythonsIdsAndText() throws IOException, InterruptedException {
    try (var python = new PythonTokenizers()) {
      assertThat(tokenizer.vocabularySize()).isEqualTo(python.loadSmolLm(gguf)).isEqualTo(49152);
      var texts = Texts.all(2000, 13);
      TokenizerDifferentialTest.sameIds(python, tokenizer, texts);
      TokenizerDifferentialTest.sameText(
          python, tokenizer, TokenizerDifferentialTest.idLists(tokenizer, texts), false);
      TokenizerDifferentialTest.sameIds(python, tokenizer, Texts.veryLong());
    }
  }

  @Test
  void encodesAPrompt() {
    // The turn marks are single tokens, and nothing is put in front.
    var ids = tokenizer.encode("<|im_start|>user\nHi<|im_end|>\n", true);
    assertThat(ids[0]).isEqualTo(1);
    assertThat(ids).contains(2);
    assertThat(tokenizer.decode(ids, true)).isEqualTo("user\nHi\n");
  }

  @Test
  void endsAtATurnsOrATextsEnd() {
    assertThat(tokenizer.eosId()).hasValue(2);
    assertThat(tokenizer.endOfGenerationIds()).containsExactly(0, 2);
  }

  @Test
  void bringsItsChatTemplateAndRoles() {
    assertThat(tokenizer.chatTemplates().source().orElseThrow()).contains("add_generation_prompt");
    assertThat(tokenizer.specialTokens().bos()).contains("<|im_start|>");
    assertThat(tokenizer.specialTokens().eos()).contains("<|im_end|>");
  }

  @Test
  void roundTripsAnyTextOfBytesThatItKnows() {
    var known = new BitSet();
    for (var id = 0; id < tokenizer.vocabularySize(); id++) {
      var bytes = tokenizer.tokenBytes(id);
      if (bytes.length == 1) {
        known.set(bytes[0] & 0xFF);
      }
    }
    // Its makers left out bytes that they never met, such as those of unassigned planes.
    assertThat(known.cardinality()).isBetween(200, 255);
    var random = new Random(17);
    for (var i = 0; i < 2000; i++) {
      var text = Texts.random(random);
      var bytes = text.getBytes(StandardCharsets.UTF_8);
      if (IntStream.range(0, bytes.length).allMatch(at -> known.get(bytes[at] & 0xFF))) {
        assertThat(tokenizer.decode(tokenizer.encode(text, false), false)).isEqualTo(text);
      }
    }
  }
}
