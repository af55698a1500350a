package dev.vllmmlx.text.tokenizer;

import java.net.URISyntaxException;
import java.nio.file.Path;

/** The small tokenizers that src/test/python/train_tokenizers.py made. */
final class TestTokenizers {
  private TestTokenizers() {}

  static Path folder(String name) {
    try {
      return Path.of(TestTokenizers.class.getResource("/tokenizer/" + name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static Tokenizer load(String name) {
    return Tokenizer.fromFolder(folder(name));
  }
}
