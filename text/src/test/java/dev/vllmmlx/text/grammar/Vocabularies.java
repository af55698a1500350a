package dev.vllmmlx.text.grammar;

import dev.vllmmlx.hub.CheckpointSource;
import dev.vllmmlx.hub.HubSettings;
import dev.vllmmlx.hub.ModelReference;
import dev.vllmmlx.hub.Progress;
import dev.vllmmlx.hub.gguf.GgufMetadata;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.net.URISyntaxException;
import java.nio.file.Path;

/** The vocabularies that tests walk over: the default model's, and small ones of each kind. */
final class Vocabularies {
  private Vocabularies() {}

  /** 49,152 tokens of byte-level BPE. */
  static Tokenizer smolLm() {
    var source = new CheckpointSource(HubSettings.fromEnvironment(System.getenv()));
    var checkpoint = source.resolve(new ModelReference.EmbeddedDefault(), Progress.NONE);
    return Tokenizer.fromGguf(GgufMetadata.read(checkpoint.path()));
  }

  /** One of those that train_tokenizers.py makes. */
  static Tokenizer small(String name) {
    try {
      return Tokenizer.fromFolder(
          Path.of(Vocabularies.class.getResource("/tokenizer/" + name).toURI()));
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
