package dev.vllmmlx.mlx.load;

import dev.vllmmlx.hub.gguf.GgmlType;
import dev.vllmmlx.hub.gguf.GgufMetadata;
import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.model.ModelConfig;
import dev.vllmmlx.mlx.model.ModelFormatException;
import dev.vllmmlx.mlx.nn.RopeScaling;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** A GGUF file as a checkpoint in MLX's terms. */
record GgufCheckpoint(Path path, ModelConfig config) {
  /**
   * A factor for each pair of a head's dimensions: Llama 3's scaling, worked out by the converter.
   */
  private static final String ROPE_FACTORS = "rope_freqs.weight";

  private static final Set<GgmlType> READ =
      Set.of(GgmlType.F32, GgmlType.F16, GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.Q8_0);

  /**
   * Reads the header.
   *
   * @throws ModelFormatException if a tensor has a type that MLX does not read, or the metadata say
   *     too little
   */
  static GgufCheckpoint read(Path path) {
    var metadata = GgufMetadata.read(path, key -> !key.startsWith("tokenizer."));
    requireReadTypes(path, metadata);
    return new GgufCheckpoint(path, ModelConfig.parse(GgufConfig.of(metadata)));
  }

  /**
   * What the file holds.
   *
   * @param tensors by their names in MLX's checkpoints; they belong to the open scope
   */
  record Contents(ModelConfig config, Map<String, Array> tensors) {}

  Contents contents() {
    var scaled = config;
    var tensors = new TreeMap<String, Array>();
    for (var entry : Mlx.loadGguf(path).entrySet()) {
      var name = entry.getKey();
      if (name.equals(ROPE_FACTORS)) {
        scaled = config.withRopeScaling(new RopeScaling.Factors(list(entry.getValue().toFloats())));
      } else {
        var checkpointName =
            GgufNames.checkpointName(name)
                .orElseThrow(
                    () ->
                        new ModelFormatException(
                            "%s holds the tensor %s, which no known model has"
                                .formatted(path.getFileName(), name)));
        tensors.put(checkpointName, inOurOrder(checkpointName, entry.getValue()));
      }
    }
    return new Contents(scaled, tensors);
  }

  /**
   * For models of the architecture llama, llama.cpp's files have the rows of q and k in the order
   * of pairs (2i, 2i+1), which its rotation wants; ours wants (i, i + dims/2).
   */
  private Array inOurOrder(String name, Array rows) {
    if (!config.modelType().equals("llama")) {
      return rows;
    }
    if (name.contains(".self_attn.q_proj.")) {
      return unpaired(rows, config.heads());
    }
    return name.contains(".self_attn.k_proj.") ? unpaired(rows, config.kvHeads()) : rows;
  }

  private static Array unpaired(Array rows, int heads) {
    var pairs = rows.dim(0) / heads / 2;
    var columns = rows.rank() == 1 ? 1 : rows.dim(1);
    var byHead = Mlx.reshape(rows, heads, pairs, 2, columns);
    return Mlx.contiguous(Mlx.reshape(Mlx.transpose(byHead, 0, 2, 1, 3), rows.shape()));
  }

  private static List<Float> list(float[] values) {
    var list = new ArrayList<Float>(values.length);
    for (var value : values) {
      list.add(value);
    }
    return list;
  }

  private static void requireReadTypes(Path path, GgufMetadata metadata) {
    var unread = new TreeSet<String>();
    for (var tensor : metadata.tensors()) {
      var type = tensor.type();
      if (type.isEmpty() || !READ.contains(type.get())) {
        unread.add(type.map(GgmlType::name).orElse("type " + tensor.typeCode()));
      }
    }
    if (!unread.isEmpty()) {
      throw new ModelFormatException(
          "%s holds tensors of types that MLX does not read: %s. It reads F32, F16, Q4_0, Q4_1 and Q8_0"
              .formatted(path.getFileName(), String.join(", ", unread)));
    }
  }
}
