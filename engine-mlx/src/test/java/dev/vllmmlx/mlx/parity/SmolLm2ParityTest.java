package dev.vllmmlx.mlx.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.hub.CheckpointSource;
import dev.vllmmlx.hub.HubSettings;
import dev.vllmmlx.hub.ModelReference;
import dev.vllmmlx.hub.Progress;
import dev.vllmmlx.mlx.array.Device;
import dev.vllmmlx.mlx.array.MlxThread;
import dev.vllmmlx.mlx.load.ComputeType;
import dev.vllmmlx.mlx.load.DenseCopy;
import dev.vllmmlx.mlx.load.ModelLoader;
import dev.vllmmlx.mlx.model.ModelFamilies;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * SmolLM2 answers as mlx-lm's does, token for token: from its packed GGUF, and with the same
 * weights unpacked to float32 in a folder.
 */
class SmolLm2ParityTest {

  /** The reference keeps each 97th logit of the first answer's row. */
  private static final int KEPT = 97;

  /** Float32 prompts in every build; the Maven profile parity takes them all. */
  private static final int FLOAT32_PROMPTS = Integer.getInteger("parity.prompts", 2);

  /** Logits go to 20. */
  private static final float TOLERANCE = 2e-4f;

  /** Where scales are float16, activations may have 16 bits; those of float16 itself have 11. */
  private static final float HALF_TOLERANCE = 4e-3f;

  private static MlxThread mlx;
  private static Path gguf;
  private static List<JsonNode> prompts;

  @BeforeAll
  static void start() throws IOException {
    var source = new CheckpointSource(HubSettings.fromEnvironment(System.getenv()));
    gguf = source.resolve(new ModelReference.EmbeddedDefault(), Progress.NONE).path();
    try (var in = SmolLm2ParityTest.class.getResourceAsStream("/smollm2.json")) {
      prompts = List.copyOf(JsonMapper.shared().readTree(in).get("prompts").values());
    }
    mlx = MlxThread.start("smollm2", Device.CPU);
  }

  @AfterAll
  static void stop() {
    mlx.close();
  }

  @Test
  void answersFromItsPackedWeights() {
    var checkpoint = new Checkpoint.Gguf("smollm2", gguf);
    answersAsMlxLmDoes(checkpoint, ComputeType.AUTO, "4bit", prompts.size(), HALF_TOLERANCE);
  }

  @Test
  void answersFromItsPackedWeightsWithScalesOfFloat32() {
    var checkpoint = new Checkpoint.Gguf("smollm2", gguf);
    answersAsMlxLmDoes(checkpoint, ComputeType.FLOAT32, "4bit", FLOAT32_PROMPTS, TOLERANCE);
  }

  @Test
  void answersFromAFolderOfFloat32(@TempDir Path folder) {
    mlx.call(
        () -> {
          DenseCopy.write(gguf, folder);
          return null;
        });
    var checkpoint = new Checkpoint.Folder("smollm2", folder);
    answersAsMlxLmDoes(checkpoint, ComputeType.AUTO, "float32", FLOAT32_PROMPTS, TOLERANCE);
  }

  private static void answersAsMlxLmDoes(
      Checkpoint checkpoint, ComputeType type, String form, int count, float tolerance) {
    mlx.call(
        () -> {
          var loader = new ModelLoader(ModelFamilies.standard(), Device.CPU);
          var loaded = loader.load(checkpoint, type);
          try (var _ = loaded.weights()) {
            for (var i = 0; i < count; i++) {
              try (var sequence = new Greedy(loaded.model())) {
                check(sequence, prompts.get(i), form, i == 0, tolerance);
              }
            }
          }
          return null;
        });
  }

  /** One prompt is decoded; of the others all rows are computed at once, which gives the same. */
  private static void check(
      Greedy sequence, JsonNode reference, String form, boolean decode, float tolerance) {
    var prompt = ints(reference.get("prompt"));
    var answer = ints(reference.get("greedy").get(form));
    if (decode) {
      var first = sequence.prefill(prompt, 512, 1)[0];
      sequence.follow(first, answer);
      return;
    }
    var ids = Arrays.copyOf(prompt, prompt.length + answer.length - 1);
    System.arraycopy(answer, 0, ids, prompt.length, answer.length - 1);
    var rows = sequence.prefill(ids, 512, answer.length);
    for (var i = 0; i < answer.length; i++) {
      var best = Greedy.argMax(rows[i]);
      assertThat(rows[i][answer[i]])
          .as("token %d of %s: the likeliest is %d", i, reference.get("text"), best)
          .isGreaterThanOrEqualTo(rows[i][best] - Greedy.TIE);
    }
    var kept = reference.get("logits");
    IntStream.range(0, kept.size())
        .forEach(
            i ->
                assertThat(rows[0][i * KEPT])
                    .isCloseTo(kept.get(i).floatValue(), within(tolerance)));
  }

  private static int[] ints(JsonNode list) {
    return list.values().stream().mapToInt(JsonNode::asInt).toArray();
  }
}
