package dev.vllmmlx.gateway.http;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineStatus;
import dev.vllmmlx.spi.ModelInfo;
import dev.vllmmlx.spi.Prompt;

/** An engine that breaks its contract where a test overrides it. */
abstract class BrokenEngine implements Engine {
  private final Engine sound;

  BrokenEngine(Engine sound) {
    this.sound = sound;
  }

  @Override
  public ModelInfo model() {
    return sound.model();
  }

  @Override
  public EngineStatus status() {
    return sound.status();
  }

  @Override
  public int[] tokenize(Prompt prompt) {
    return sound.tokenize(prompt);
  }

  @Override
  public String detokenize(int[] tokens) {
    return sound.detokenize(tokens);
  }

  @Override
  public void close() {}
}
