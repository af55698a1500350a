package dev.vllmmlx.mlx.parity;

import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.mlx.array.Device;
import dev.vllmmlx.mlx.load.ComputeType;
import dev.vllmmlx.mlx.load.LoadedModel;
import dev.vllmmlx.mlx.load.ModelLoader;
import dev.vllmmlx.mlx.model.ModelFamilies;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A tiny checkpoint's description and mlx-lm's answers to it, as src/test/python/references.py
 * writes them.
 *
 * @param lastLogits of the prompt's last rows, the last one last
 * @param greedy the tokens that follow
 */
record ParityCase(
    String name,
    JsonNode config,
    long seed,
    String stored,
    ComputeType computed,
    int[] prompt,
    List<float[]> lastLogits,
    int[] greedy) {

  /** All that are kept, by name. */
  static List<ParityCase> all() {
    try (Stream<Path> files = Files.list(folder())) {
      return files.sorted().map(ParityCase::read).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static ParityCase of(String name) {
    return read(folder().resolve(name + ".json"));
  }

  TinyCheckpoint checkpoint() {
    return new TinyCheckpoint(config, seed, stored);
  }

  /** The checkpoint as it was written to a folder. On MLX's owner thread. */
  LoadedModel load(Path folder) {
    return new ModelLoader(ModelFamilies.standard(), Device.CPU)
        .load(new Checkpoint.Folder(name, folder), computed);
  }

  @Override
  public String toString() {
    return name;
  }

  private static Path folder() {
    try {
      return Path.of(ParityCase.class.getResource("/parity").toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ParityCase read(Path file) {
    JsonNode json;
    try {
      json = JsonMapper.shared().readTree(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    var seed = json.get("seed").asLong();
    var config = json.get("config");
    var answer = json.get("answer");
    return new ParityCase(
        json.get("name").asString(),
        config,
        seed,
        json.get("stored").asString(),
        ComputeType.valueOf(json.get("computed").asString().toUpperCase(Locale.ROOT)),
        Hashes.tokens(seed, json.get("prompt").asInt(), config.get("vocab_size").asInt()),
        answer.get("logits").values().stream().map(ParityCase::floats).toList(),
        answer.get("greedy").values().stream().mapToInt(JsonNode::asInt).toArray());
  }

  private static float[] floats(JsonNode row) {
    var floats = new float[row.size()];
    for (var i = 0; i < floats.length; i++) {
      floats[i] = row.get(i).floatValue();
    }
    return floats;
  }
}
