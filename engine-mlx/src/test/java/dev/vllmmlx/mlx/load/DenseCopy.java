package dev.vllmmlx.mlx.load;

import dev.vllmmlx.hub.gguf.GgufMetadata;
import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.array.Mlx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.node.ObjectNode;

/** A GGUF file's model as a folder of float32 weights: what it means, unpacked. */
public final class DenseCopy {

  private static final int GROUP_SIZE = 32;

  private DenseCopy() {}

  /** Writes {@code config.json} and {@code model.safetensors}; on MLX's owner thread. */
  public static void write(Path gguf, Path folder) throws IOException {
    try (var _ = Mlx.scope()) {
      Mlx.saveSafetensors(
          folder.resolve("model.safetensors"), tensors(gguf), Map.of("format", "mlx"));
      Files.writeString(folder.resolve("config.json"), config(gguf).toString());
    }
  }

  /** All tensors in float32, by their names in MLX's checkpoints; they belong to the open scope. */
  static Map<String, Array> tensors(Path gguf) {
    var packed = GgufCheckpoint.read(gguf).contents().tensors();
    var dense = new TreeMap<String, Array>();
    packed.forEach(
        (name, tensor) -> {
          if (name.endsWith(".weight")) {
            var unpacked = unpacked(packed, name.replaceFirst("weight$", ""), tensor);
            dense.put(name, Mlx.astype(unpacked, DType.FLOAT32));
          }
        });
    return dense;
  }

  static ObjectNode config(Path gguf) throws IOException {
    return (ObjectNode) GgufConfig.of(GgufMetadata.read(gguf));
  }

  private static Array unpacked(Map<String, Array> packed, String module, Array weight) {
    var scales = packed.get(module + "scales");
    if (scales == null) {
      return weight;
    }
    var bits = weight.dim(1) / scales.dim(1); // a group of 32 takes a word per bit
    return Mlx.dequantize(
        weight,
        Mlx.astype(scales, DType.FLOAT32),
        Mlx.astype(packed.get(module + "biases"), DType.FLOAT32),
        GROUP_SIZE,
        bits);
  }
}
