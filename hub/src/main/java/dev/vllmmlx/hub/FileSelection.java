package dev.vllmmlx.hub;

import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** Which files of a repository a checkpoint consists of. */
enum FileSelection {
  /** All that serving needs. */
  WHOLE,
  /** Config, tokenizer and templates, without weights. */
  TEXT;

  private static final Set<String> TOKENIZERS =
      Set.of(
          "tokenizer.json",
          "tokenizer.model",
          "vocab.json",
          "vocab.txt",
          "tekken.json",
          "spiece.model",
          "sentencepiece.bpe.model");

  /**
   * The files to fetch, in the order of the listing.
   *
   * @throws HubException.Unusable if the repository holds no checkpoint in a format that is read
   *     here
   */
  List<RepositoryFile> of(String repository, List<RepositoryFile> files) {
    requireCheckpoint(repository, files);
    var weights = files.stream().filter(FileSelection::isWeights).toList();
    // Some repositories hold the same weights a second time in their author's own layout
    // (consolidated.safetensors), or adapters beside them.
    var named = weights.stream().anyMatch(file -> file.path().startsWith("model"));
    Predicate<RepositoryFile> wanted =
        file ->
            isText(file)
                || (this == WHOLE
                    && isWeights(file)
                    && (!named || file.path().startsWith("model")));
    return files.stream().filter(wanted).toList();
  }

  static boolean isTokenizer(String name) {
    return TOKENIZERS.contains(name) || name.endsWith(".tiktoken");
  }

  private static boolean isWeights(RepositoryFile file) {
    return file.isInRoot() && file.path().endsWith(".safetensors");
  }

  private static boolean isText(RepositoryFile file) {
    var path = file.path();
    if (!file.isInRoot()) {
      return path.matches("additional_chat_templates/[^/]+\\.jinja");
    }
    return path.endsWith(".json")
        || path.endsWith(".jinja")
        || path.endsWith(".txt")
        || path.endsWith(".model")
        || path.endsWith(".tiktoken");
  }

  private static void requireCheckpoint(String repository, List<RepositoryFile> files) {
    if (files.stream().anyMatch(FileSelection::isWeights)) {
      if (files.stream().noneMatch(file -> file.path().equals(CheckpointFolder.CONFIG))) {
        throw new HubException.Unusable(
            "%s has no config.json, so its architecture is not known.".formatted(repository));
      }
      return;
    }
    var gguf = files.stream().map(RepositoryFile::path).filter(p -> p.endsWith(".gguf")).toList();
    if (!gguf.isEmpty()) {
      throw new HubException.Unusable(
          "%s holds GGUF files. Name the one that is meant:%n  %s"
              .formatted(
                  repository,
                  String.join(
                      System.lineSeparator() + "  ",
                      gguf.stream().map(path -> repository + "/" + path).toList())));
    }
    var pickled =
        files.stream()
            .anyMatch(file -> file.path().endsWith(".bin") || file.path().endsWith(".pth"));
    throw new HubException.Unusable(
        pickled
            ? "%s has its weights as .bin or .pth files only, which are not read here. Name a repository with .safetensors files, such as one of mlx-community."
                .formatted(repository)
            : "%s has no .safetensors files in its root: it is no checkpoint of a language model."
                .formatted(repository));
  }
}
