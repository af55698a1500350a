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

/** A GGUF file's model as a folder of float32 weights: what it means, unpacked. */
public final class DenseCopy {

  private static final int GROUP_SIZE = 32;

  private DenseCopy() {}

  /** Writes {@code config.json} and {@code model.safetensors}; on MLX's owner thread. */
  public static void write(Path gguf, Path folder) throws IOException {
    try (var _ = Mlx.scope()) {
      var packed = GgufCheckpoint.read(gguf).contents().tensors();
      var dense = new TreeMap<String, Array>();
      packed.forEach(
          (name, tensor) -> {
            if (name.endsWith(".weight")) {
              dense.put(name, unpacked(packed, name.replaceFirst("weight$", ""), tensor));
            }
          });
      Mlx.saveSafetensors(folder.resolve("model.safetensors"), dense, Map.of("format", "mlx"));
      Files.writeString(
          folder.resolve("config.json"), GgufConfig.of(GgufMetadata.read(gguf)).toString());
    }
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
