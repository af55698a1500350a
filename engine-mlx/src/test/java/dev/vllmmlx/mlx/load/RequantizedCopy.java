package dev.vllmmlx.mlx.load;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.array.Mlx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * A GGUF file's model as a folder in other forms, as smollm2.py makes them. On MLX's owner thread.
 */
public final class RequantizedCopy {

  private static final int BITS = 8;
  private static final int GROUP_SIZE = 64;

  private RequantizedCopy() {}

  /** Everything rounded to bfloat16. */
  public static void bfloat16(Path gguf, Path folder) throws IOException {
    try (var _ = Mlx.scope()) {
      write(rounded(gguf), folder);
      Files.writeString(folder.resolve("config.json"), DenseCopy.config(gguf).toString());
    }
  }

  /** Matrices in 8 bits with scales in bfloat16, as published checkpoints are. */
  public static void eightBits(Path gguf, Path folder) throws IOException {
    try (var _ = Mlx.scope()) {
      var packed = new TreeMap<String, Array>();
      rounded(gguf)
          .forEach(
              (name, tensor) -> {
                if (tensor.shape().length == 1) {
                  packed.put(name, tensor);
                  return;
                }
                var module = name.replaceFirst("weight$", "");
                var parts = Mlx.quantize(tensor, GROUP_SIZE, BITS);
                packed.put(name, parts.weight());
                packed.put(module + "scales", parts.scales());
                packed.put(module + "biases", parts.biases());
              });
      write(packed, folder);
      var config = DenseCopy.config(gguf);
      config.putObject("quantization").put("bits", BITS).put("group_size", GROUP_SIZE);
      Files.writeString(folder.resolve("config.json"), config.toString());
    }
  }

  private static Map<String, Array> rounded(Path gguf) {
    var tensors = new TreeMap<>(DenseCopy.tensors(gguf));
    tensors.replaceAll((_, tensor) -> Mlx.astype(tensor, DType.BFLOAT16));
    return tensors;
  }

  private static void write(Map<String, Array> tensors, Path folder) throws IOException {
    Mlx.saveSafetensors(folder.resolve("model.safetensors"), tensors, Map.of("format", "mlx"));
  }
}
