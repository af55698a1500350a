package dev.vllmmlx.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * A folder in the Hugging Face layout, looked at from outside: which of the files that a checkpoint
 * needs are missing.
 *
 * @param path the folder; links in it count if they lead to a file
 */
record CheckpointFolder(Path path) {
  static final String CONFIG = "config.json";
  static final String INDEX = "model.safetensors.index.json";

  private static final Pattern SHARD = Pattern.compile("(.*)-(\\d+)-of-(\\d+)\\.safetensors");
  private static final int LARGEST_SHARD_COUNT = 10_000;

  /**
   * The config and weights that are missing, by name or as words; empty if the checkpoint can be
   * loaded.
   */
  List<String> missing() {
    var missing = new ArrayList<String>();
    if (!has(CONFIG)) {
      missing.add(CONFIG);
    }
    missing.addAll(missingWeights());
    return missing;
  }

  /** Weights that are missing; a folder without any gives one entry that says so. */
  List<String> missingWeights() {
    var present = safetensors();
    var expected = has(INDEX) ? indexedShards() : numberedShards(present);
    var missing = expected.stream().filter(name -> !has(name)).toList();
    return present.isEmpty() && missing.isEmpty() ? List.of("*.safetensors") : missing;
  }

  /** Whether any file of a tokenizer, of whatever kind, is there. */
  boolean hasTokenizer() {
    return names().stream().anyMatch(FileSelection::isTokenizer);
  }

  boolean has(String name) {
    return Files.isRegularFile(path.resolve(name));
  }

  /** Names of the files in the folder itself. */
  Set<String> names() {
    try (var files = Files.list(path)) {
      var names = new TreeSet<String>();
      files.filter(Files::isRegularFile).forEach(file -> names.add(file.getFileName().toString()));
      return names;
    } catch (IOException e) {
      throw new HubException.Storage("The folder %s cannot be read: %s".formatted(path, e), e);
    }
  }

  private List<String> safetensors() {
    return names().stream().filter(name -> name.endsWith(".safetensors")).toList();
  }

  /**
   * The shards that the index's {@code weight_map} (tensor name to file name) sends a reader to.
   */
  private Set<String> indexedShards() {
    var shards = new TreeSet<String>();
    try {
      var map = JsonMapper.shared().readTree(path.resolve(INDEX).toFile()).path("weight_map");
      for (var shard : map.values()) {
        var name = shard.asString("");
        if (!RepositoryFile.isSafePath(name)) {
          throw new HubException.Unusable(
              "%s names the shard '%s', which is no file of the folder."
                  .formatted(path.resolve(INDEX), name));
        }
        shards.add(name);
      }
    } catch (JacksonException e) {
      throw new HubException.Unusable(
          "%s is no JSON: %s".formatted(path.resolve(INDEX), e.getOriginalMessage()));
    }
    return shards;
  }

  /**
   * Without an index, {@code model-00001-of-00003.safetensors} still tells how many there must be.
   */
  private static Set<String> numberedShards(List<String> present) {
    var shards = new TreeSet<String>();
    for (var name : present) {
      var shard = SHARD.matcher(name);
      if (shard.matches() && shard.group(3).length() <= 6) {
        var digits = shard.group(2).length();
        var count = Math.min(Integer.parseInt(shard.group(3)), LARGEST_SHARD_COUNT);
        for (var i = 1; i <= count; i++) {
          shards.add(
              "%s-%0{n}d-of-%s.safetensors"
                  .replace("{n}", Integer.toString(digits))
                  .formatted(shard.group(1), i, shard.group(3)));
        }
      }
    }
    return shards;
  }
}
