package dev.vllmmlx.mlx.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Device;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.MlxThread;
import dev.vllmmlx.mlx.cache.KvCache;
import dev.vllmmlx.mlx.load.ComputeType;
import dev.vllmmlx.mlx.load.LoadedModel;
import dev.vllmmlx.mlx.load.ModelLoader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Tiny checkpoints of every family answer as mlx-lm does: {@code src/test/python/references.py}.
 */
final class ParityTest {
  private static final Path REFERENCES = Path.of("src/test/resources/parity");

  /** A lead of the best token that small differences may turn around. */
  private static final float TIE = 1e-3f;

  private static MlxThread mlx;

  @TempDir Path folder;

  @BeforeAll
  static void start() {
    mlx = MlxThread.start("parity", Device.CPU);
  }

  @AfterAll
  static void end() {
    mlx.close();
  }

  static Stream<String> cases() throws IOException {
    try (var files = Files.list(REFERENCES)) {
      return files
          .map(file -> file.getFileName().toString().replace(".json", ""))
          .sorted()
          .toList()
          .stream();
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void answersAsMlxLmDoes(String name) throws IOException {
    var reference = read(name);
    mlx.call(
        () -> {
          var loaded = load(reference);
          try (var _ = loaded.weights();
              var cache = new KvCache(loaded.model().kvLayers())) {
            var rows = prefill(loaded, cache, TinyCheckpoint.prompt(reference), 512);
            checkLogits(reference, rows);
            checkGreedy(reference, loaded, cache, last(rows));
          }
          return null;
        });
  }

  @Test
  void theChunksOfAPrefillDoNotMatter() throws IOException {
    for (var name : new String[] {"llama-llama3-rope", "mistral-all-layers-slide"}) {
      var reference = read(name);
      mlx.call(
          () -> {
            var loaded = load(reference);
            try (var _ = loaded.weights()) {
              var prompt = TinyCheckpoint.prompt(reference);
              for (var chunk : new int[] {1, 7, 64}) {
                try (var cache = new KvCache(loaded.model().kvLayers())) {
                  prefill(loaded, cache, prompt, chunk);
                  cache.trim(2); // and once more the last two, over what is there
                  var rows =
                      run(
                          loaded,
                          cache,
                          java.util.Arrays.copyOfRange(prompt, prompt.length - 2, prompt.length));
                  checkLogits(reference, rows);
                }
              }
            }
            return null;
          });
    }
  }

  private LoadedModel load(JsonNode reference) throws IOException {
    TinyCheckpoint.write(reference, folder);
    var type = ComputeType.valueOf(reference.get("computed").asString().toUpperCase(Locale.ROOT));
    return ModelLoader.standard().load(new Checkpoint.Folder("tiny", folder), type);
  }

  /** Logits of the last chunk's rows. */
  private static float[][] prefill(LoadedModel model, KvCache cache, int[] prompt, int chunk) {
    float[][] rows = null;
    for (var start = 0; start < prompt.length; start += chunk) {
      var end = Math.min(prompt.length, start + chunk);
      rows = run(model, cache, java.util.Arrays.copyOfRange(prompt, start, end));
    }
    return rows;
  }

  private static float[][] run(LoadedModel model, KvCache cache, int[] ids) {
    try (var _ = Mlx.scope()) {
      Array hidden = model.model().hidden(Mlx.array(ids, ids.length), cache.append(ids.length));
      var from = Math.max(0, ids.length - 2);
      var logits = model.model().logits(Mlx.slice(hidden, 0, from, ids.length));
      var flat = logits.toFloats();
      var width = logits.dim(1);
      var rows = new float[logits.dim(0)][];
      for (var i = 0; i < rows.length; i++) {
        rows[i] = java.util.Arrays.copyOfRange(flat, i * width, (i + 1) * width);
      }
      cache.evaluate();
      return rows;
    }
  }

  private static void checkLogits(JsonNode reference, float[][] rows) {
    var expected = reference.get("answer").get("logits");
    var computed = reference.get("computed").asString();
    // mlx-lm adds up in the model's own type; the sums here are float32, so the difference is its.
    var tolerance =
        switch (computed) {
          case "float32" -> 2e-3f;
          case "float16" -> 0.05f;
          default -> 0.4f;
        };
    assertThat(rows).hasNumberOfRows(expected.size());
    for (var r = 0; r < rows.length; r++) {
      for (var i = 0; i < rows[r].length; i++) {
        assertThat(rows[r][i])
            .as("row %d, token %d", r, i)
            .isCloseTo(
                expected.get(r).get(i).floatValue(),
                org.assertj.core.data.Offset.offset(tolerance));
      }
    }
  }

  private static void checkGreedy(
      JsonNode reference, LoadedModel model, KvCache cache, float[] row) {
    if (!reference.get("computed").asString().equals("float32")) {
      return; // Half types differ by more than a tie.
    }
    for (var expected : reference.get("answer").get("greedy")) {
      var best = argmax(row);
      if (best != expected.asInt()) {
        assertThat(row[best] - row[expected.asInt()]).as("a tie").isLessThan(TIE);
        return;
      }
      row = last(run(model, cache, new int[] {best}));
    }
  }

  private static float[] last(float[][] rows) {
    return rows[rows.length - 1];
  }

  private static int argmax(float[] row) {
    var best = 0;
    for (var i = 1; i < row.length; i++) {
      if (row[i] > row[best]) {
        best = i;
      }
    }
    return best;
  }

  private static JsonNode read(String name) throws IOException {
    return JsonMapper.shared().readTree(Files.readString(REFERENCES.resolve(name + ".json")));
  }
}
