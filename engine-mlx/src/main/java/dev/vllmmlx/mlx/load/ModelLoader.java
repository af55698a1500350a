package dev.vllmmlx.mlx.load;

import dev.vllmmlx.hub.Checkpoint;
import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.CpuPrimitives;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.array.Device;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.model.ModelConfig;
import dev.vllmmlx.mlx.model.ModelFamilies;
import dev.vllmmlx.mlx.model.QuantizationConfig;
import dev.vllmmlx.mlx.model.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Reads checkpoints into memory. All of it on MLX's owner thread. */
public final class ModelLoader {
  /** Bytes that are read and converted at once. */
  private static final long PIECE = 16L << 20;

  private final ModelFamilies families;
  private final Device device;

  public ModelLoader(ModelFamilies families, Device device) {
    this.families = families;
    this.device = device;
  }

  /** With the families that come with the engine, for this machine's best device. */
  public static ModelLoader standard() {
    return new ModelLoader(ModelFamilies.standard(), Device.best());
  }

  /**
   * Loads a model whole.
   *
   * @throws dev.vllmmlx.mlx.model.ModelFormatException if the files do not make a model of a known
   *     family
   * @throws dev.vllmmlx.mlx.array.MlxException if MLX cannot read them
   */
  public LoadedModel load(Checkpoint checkpoint, ComputeType computeType) {
    return switch (checkpoint) {
      case Checkpoint.Folder(var _, var path) -> folder(path, computeType);
      case Checkpoint.Gguf(var _, var path) -> gguf(path, computeType);
    };
  }

  private LoadedModel folder(Path path, ComputeType computeType) {
    var config = ModelConfig.read(path);
    families.of(config.modelType()); // before gigabytes are read
    try (var _ = Mlx.scope()) {
      var tensors = new TreeMap<String, Array>();
      for (var file : SafetensorsFiles.in(path)) {
        tensors.putAll(Mlx.loadSafetensors(file).arrays());
      }
      // Some converters save the frequencies of the rotation, which follow from the config.
      tensors.keySet().removeIf(name -> name.endsWith("rotary_emb.inv_freq"));
      return build(config, tensors, Optional.of(config.quantization()), computeType);
    }
  }

  private LoadedModel gguf(Path path, ComputeType computeType) {
    var file = GgufCheckpoint.read(path);
    families.of(file.config().modelType());
    try (var _ = Mlx.scope()) {
      var contents = file.contents();
      return build(contents.config(), contents.tensors(), Optional.empty(), computeType);
    }
  }

  private LoadedModel build(
      ModelConfig config,
      Map<String, Array> tensors,
      Optional<QuantizationConfig> quantization,
      ComputeType computeType) {
    var owned = Mlx.detachedScope();
    try {
      var type = dtype(computeType, tensors);
      var converted = new TreeMap<String, Array>();
      tensors.forEach(
          (name, tensor) -> converted.put(name, owned.keep(stored(tensor, type, computeType))));
      try (var making = Mlx.scope()) {
        var weights = new Weights(converted, quantization, type);
        var model = families.of(config.modelType()).build(config, weights);
        weights.requireAllUsed();
        // Whatever the layers made for themselves, such as wavelengths, lives as long as they do.
        making.moveTo(owned);
        var bytes = evaluated(weights.arrays());
        Mlx.clearCache(); // the originals of what was converted
        Mlx.useLargePages(List.copyOf(weights.arrays()));
        return new LoadedModel(model, model.kvLayers(), bytes, owned);
      }
    } catch (RuntimeException e) {
      owned.close();
      throw e;
    }
  }

  /** Reads the data now, a piece at a time, so that no graph holds two copies of a large model. */
  private static long evaluated(Iterable<Array> tensors) {
    var bytes = 0L;
    var pending = 0L;
    List<Array> batch = new ArrayList<>();
    for (var tensor : tensors) {
      bytes += tensor.bytes();
      pending += tensor.bytes();
      batch.add(tensor);
      if (pending >= PIECE) {
        Mlx.eval(batch);
        batch.clear();
        pending = 0;
      }
    }
    Mlx.eval(batch);
    return bytes;
  }

  /**
   * The type of all floats. On a GPU that of the checkpoint's embedding, for one norm in float32,
   * as GGUF files have it, would make everything float32.
   */
  private DType dtype(ComputeType computeType, Map<String, Array> tensors) {
    return switch (computeType) {
      case FLOAT32 -> DType.FLOAT32;
      case FLOAT16 -> DType.FLOAT16;
      case BFLOAT16 -> DType.BFLOAT16;
      case AUTO ->
          device == Device.CPU
              ? DType.FLOAT32
              : Stream.of("model.embed_tokens.scales", "model.embed_tokens.weight")
                  .filter(tensors::containsKey)
                  .map(name -> tensors.get(name).dtype())
                  .findFirst()
                  .orElse(DType.FLOAT32);
    };
  }

  /**
   * A tensor as it is kept. This project's CPU primitives compute in float32 from weights of any
   * type, so that matrices stay half as large where they are; vectors are small. MLX's own ops want
   * one type throughout.
   */
  private Array stored(Array tensor, DType type, ComputeType computeType) {
    var asIs =
        computeType == ComputeType.AUTO
            && device == Device.CPU
            && CpuPrimitives.enabled()
            && tensor.shape().length > 1;
    return asIs ? tensor : as(type, tensor);
  }

  /** Gives the original up, so that its data is gone as soon as it is converted. */
  private static Array as(DType type, Array tensor) {
    if (!tensor.dtype().isFloat() || tensor.dtype() == type) {
      return tensor;
    }
    var converted = Mlx.astype(tensor, type);
    tensor.free();
    return converted;
  }
}
