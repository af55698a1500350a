package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.Sampling;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Map;
import java.util.OptionalLong;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.MissingNode;

/** How a model samples by itself, from its {@code generation_config.json}; else as the API says. */
final class GenerationDefaults {
  private GenerationDefaults() {}

  /**
   * @throws EngineException.Unavailable if the file is there and is no JSON
   */
  static Sampling of(Checkpoint checkpoint) {
    var config = read(checkpoint);
    var samples = config.path("do_sample").asBoolean(true);
    return new Sampling(
        samples ? number(config, "temperature", 1, 0, 2) : 0,
        number(config, "top_p", 1, Float.MIN_VALUE, 1),
        (int) number(config, "top_k", 0, 0, Integer.MAX_VALUE),
        number(config, "min_p", 0, 0, 1),
        number(config, "repetition_penalty", 1, Float.MIN_VALUE, 100),
        0,
        0,
        Map.of(),
        OptionalLong.empty());
  }

  private static float number(JsonNode config, String key, float absent, float least, float most) {
    var value = config.path(key);
    if (!value.isNumber()) {
      return absent;
    }
    var number = value.floatValue();
    return number >= least && number <= most ? number : absent;
  }

  private static JsonNode read(Checkpoint checkpoint) {
    var file =
        checkpoint instanceof Checkpoint.Folder folder
            ? folder.path().resolve("generation_config.json")
            : null;
    if (file == null || !Files.isRegularFile(file)) {
      return MissingNode.getInstance();
    }
    try {
      return JsonMapper.shared().readTree(Files.readString(file));
    } catch (IOException | JacksonException e) {
      throw new EngineException.Unavailable(file + " cannot be read: " + e.getMessage(), e);
    }
  }
}
