package com.example.markov;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.EngineOption;
import dev.vllmmlx.spi.EngineProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** {@code --engine markov}: goes on as some text does, character by character. */
public final class MarkovProvider implements EngineProvider {
  private static final String BUILT_IN =
      "It was the best of times, it was the worst of times, it was the age of wisdom, it was the "
          + "age of foolishness, it was the epoch of belief, it was the epoch of incredulity, it "
          + "was the season of Light, it was the season of Darkness, it was the spring of hope, it "
          + "was the winter of despair. ";

  @Override
  public String name() {
    return "markov";
  }

  @Override
  public String description() {
    return "goes on as a text does, by what followed its last few characters";
  }

  @Override
  public List<EngineOption> options() {
    return List.of(
        new EngineOption(
            "corpus", EngineOption.Type.TEXT, "", "File to learn from (UTF-8); else a short one"));
  }

  @Override
  public Engine open(EngineContext context) {
    var corpus = context.option("corpus").filter(file -> !file.isEmpty()).map(MarkovProvider::read);
    return new MarkovEngine(
        context.servedName().orElse("markov"), new Chain(corpus.orElse(BUILT_IN)));
  }

  private static String read(String file) {
    try {
      return Files.readString(Path.of(file));
    } catch (IOException e) {
      throw new EngineException.Unavailable("--corpus " + file + " cannot be read", e);
    }
  }
}
