package dev.vllmmlx.hub;

import java.nio.file.Path;

/** A model's files on this machine, whole and ready to be read. */
public sealed interface Checkpoint {

  /** The name under which the model is served unless another is given: never empty. */
  String id();

  /** The folder, or the file. */
  Path path();

  /**
   * A folder in the Hugging Face layout: {@code config.json}, {@code *.safetensors}, the
   * tokenizer's files.
   */
  record Folder(String id, Path path) implements Checkpoint {}

  /** One GGUF file, which carries weights, tokenizer and chat template. */
  record Gguf(String id, Path path) implements Checkpoint {}
}
