package dev.vllmmlx.mlx.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vllmmlx.mlx.array.CpuPrimitives;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.array.LayerOps;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.array.MlxThread;
import dev.vllmmlx.mlx.model.ModelConfig;
import dev.vllmmlx.mlx.nn.Rope;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Each scaling rotates as mlx-lm's does, at position 131,000 too, where a last bit of a wavelength
 * would turn a vector by 0.008.
 */
class RopeParityTest {

  static List<JsonNode> ropes() throws IOException {
    try (InputStream in = RopeParityTest.class.getResourceAsStream("/rope.json")) {
      return List.copyOf(JsonMapper.shared().readTree(in).values());
    }
  }

  @AfterEach
  void primitivesAgain() {
    CpuPrimitives.enable(true);
  }

  @ParameterizedTest
  @MethodSource("ropes")
  void rotatesAsMlxLmDoes(JsonNode reference) {
    CpuPrimitives.enable(false);
    assertRotates(reference, 1e-5f);
  }

  /** MLX's angles are float32, and a turn away from the truth by a last place of the position. */
  @ParameterizedTest
  @MethodSource("ropes")
  void rotatesByTheSameAnglesMoreExactly(JsonNode reference) {
    assertRotates(reference, 1e-5f + Math.ulp(reference.get("offset").floatValue()));
  }

  private static void assertRotates(JsonNode reference, float tolerance) {
    var rows = reference.get("shape").get(0).asInt();
    var heads = reference.get("shape").get(1).asInt();
    var dims = reference.get("shape").get(2).asInt();
    var offset = reference.get("offset").asInt();
    var x = Hashes.signed(offset, reference.get("name").asString(), rows * heads * dims, 1);
    float[] rotated =
        MlxThread.run(
            () -> {
              var rope = Rope.of(config(reference, dims).rope(), dims);
              return CpuPrimitives.enabled()
                  ? byCachedAttention(rope.rotation(), x, rows, heads, dims, offset)
                  : byMlx(rope.rotation(), x, rows, heads, dims, offset);
            });
    var expected = reference.get("rotated");
    for (var i = 0; i < rotated.length; i++) {
      assertThat(rotated[i]).isCloseTo(expected.get(i).floatValue(), within(tolerance));
    }
  }

  private static float[] byMlx(
      LayerOps.Rotation rotation, float[] x, int rows, int heads, int dims, int offset) {
    var byHead = Mlx.transpose(Mlx.array(x, 1, rows, heads, dims), 0, 2, 1, 3);
    var rotated =
        Mlx.rope(
            Mlx.multiply(byHead, rotation.magnitude()),
            rotation.dims(),
            rotation.traditional(),
            rotation.theta(),
            rotation.scale(),
            offset,
            Optional.ofNullable(rotation.wavelengths()));
    return Mlx.transpose(rotated, 0, 2, 1, 3).toFloats();
  }

  /** The keys that attention wrote to memory: three blocks, which a table puts at the offset. */
  private static float[] byCachedAttention(
      LayerOps.Rotation rotation, float[] x, int rows, int heads, int dims, int offset) {
    var block = 32;
    var table = new int[(offset + rows) / block + 1];
    for (var i = offset / block; i < table.length; i++) {
      table[i] = 1 + i - offset / block;
    }
    var keys = Mlx.array(x, rows, heads * dims);
    var positions = Mlx.array(IntStream.range(offset, offset + rows).toArray(), rows);
    var memory = Mlx.zeros(DType.FLOAT32, 4, heads, block, dims);
    var values = Mlx.zeros(DType.FLOAT32, 4, heads, block, dims);
    var places =
        new LayerOps.RowPlaces(
            offset,
            positions,
            Mlx.array(new int[rows], rows),
            Mlx.array(table, 1, table.length),
            LayerOps.ropeAngles(positions, rotation));
    var plan = new LayerOps.AttentionPlan(heads, heads, dims, 1, 8, rotation, null, null);
    var attended =
        LayerOps.cachedAttention(
            keys, keys, keys, new LayerOps.LayerMemory(memory, values, places), plan);
    Mlx.eval(attended.mixed());
    var written = attended.keys().toFloats();
    var rotated = new float[rows * heads * dims];
    for (var row = 0; row < rows; row++) {
      var position = offset + row;
      for (var head = 0; head < heads; head++) {
        var from = ((table[position / block] * heads + head) * block + position % block) * dims;
        System.arraycopy(written, from, rotated, (row * heads + head) * dims, dims);
      }
    }
    return rotated;
  }

  private static ModelConfig config(JsonNode reference, int headDim) {
    var json =
        (ObjectNode)
            JsonMapper.shared()
                .readTree(
                    """
                    {"model_type": "llama", "vocab_size": 100, "hidden_size": 64, "intermediate_size": 96,
                     "num_hidden_layers": 1, "num_attention_heads": 4, "max_position_embeddings": 131072,
                     "rms_norm_eps": 1e-5}
                    """);
    json.put("head_dim", headDim);
    for (var key : List.of("rope_theta", "rope_traditional", "rope_scaling")) {
      json.set(key, reference.get(key));
    }
    return ModelConfig.parse(json);
  }
}
