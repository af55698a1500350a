package dev.vllmmlx.mlx.model;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.nn.Embedding;
import dev.vllmmlx.mlx.nn.Linear;
import dev.vllmmlx.mlx.nn.Matrix;
import dev.vllmmlx.mlx.nn.Quantization;
import dev.vllmmlx.mlx.nn.RmsNorm;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A checkpoint's tensors by name, handed out as layers. It checks each tensor's shape, and knows at
 * the end which ones nobody asked for.
 */
public final class Weights {

  private final TreeMap<String, Array> tensors;
  private final Optional<QuantizationConfig> declared;
  private final DType type;
  private final String prefix;
  private final TreeSet<String> unused;

  /**
   * @param tensors by their names in MLX's checkpoints, such as {@code
   *     model.layers.0.mlp.up_proj.weight}
   * @param declared what {@code config.json} says of their quantization; empty where the tensors
   *     alone tell, as in GGUF files
   * @param type in which the model computes, whatever the tensors are stored in
   */
  public Weights(Map<String, Array> tensors, Optional<QuantizationConfig> declared, DType type) {
    this(new TreeMap<>(tensors), declared, type, "", new TreeSet<>(tensors.keySet()));
  }

  private Weights(
      TreeMap<String, Array> tensors,
      Optional<QuantizationConfig> declared,
      DType type,
      String prefix,
      TreeSet<String> unused) {
    this.tensors = tensors;
    this.declared = declared;
    this.type = type;
    this.prefix = prefix;
    this.unused = unused;
  }

  /** The same tensors, seen from a module, such as {@code model.layers.0}. */
  public Weights at(String module) {
    return new Weights(tensors, declared, type, prefix + module + ".", unused);
  }

  /** Whether there is such a tensor. */
  public boolean has(String name) {
    return tensors.containsKey(prefix + name);
  }

  /** Frees a module's tensors, which may be there and are not needed. */
  public void drop(String module) {
    var start = prefix + module + ".";
    var dropped = tensors.subMap(start, start + Character.MAX_VALUE);
    unused.removeAll(dropped.keySet());
    dropped.values().forEach(Array::free);
    dropped.clear();
  }

  /** Every tensor that was not dropped. */
  public Collection<Array> arrays() {
    return Collections.unmodifiableCollection(tensors.values());
  }

  /**
   * @throws ModelFormatException if the tensor is missing or has another shape
   */
  public Array tensor(String name, int... shape) {
    var found = any(name);
    if (!Arrays.equals(found.shape(), shape)) {
      throw new ModelFormatException(
          "The tensor %s%s has the shape %s, and %s is expected"
              .formatted(prefix, name, Arrays.toString(found.shape()), Arrays.toString(shape)));
    }
    return found;
  }

  public Linear linear(String module, int inputs, int outputs, boolean bias) {
    return new Linear(
        matrix(module, outputs, inputs),
        bias ? Optional.of(tensor(module + ".bias", outputs)) : Optional.empty());
  }

  public Embedding embedding(String module, int vocabularySize, int size) {
    return new Embedding(matrix(module, vocabularySize, size), type);
  }

  public RmsNorm rmsNorm(String module, int size, float eps) {
    return new RmsNorm(tensor(module + ".weight", size), eps);
  }

  /**
   * @throws ModelFormatException that names tensors of which the model has no use
   */
  public void requireAllUsed() {
    if (!unused.isEmpty()) {
      var some = unused.stream().limit(5).toList();
      throw new ModelFormatException(
          "The checkpoint holds %d tensors that the model has no place for: %s%s"
              .formatted(
                  unused.size(),
                  String.join(", ", some),
                  unused.size() > some.size() ? ", ..." : ""));
    }
  }

  /** A matrix is packed if it has scales; its bits and group size are seen in its shapes. */
  private Matrix matrix(String module, int outputs, int inputs) {
    var stated = declared.flatMap(config -> config.override(prefix + module));
    if (!has(module + ".scales") && stated.isEmpty()) {
      return new Matrix.Dense(tensor(module + ".weight", outputs, inputs));
    }
    var quantization = quantization(module, inputs);
    var groups = quantization.groupsPerRow(inputs);
    return new Matrix.Packed(
        tensor(module + ".weight", outputs, quantization.wordsPerRow(inputs)),
        tensor(module + ".scales", outputs, groups),
        tensor(module + ".biases", outputs, groups),
        quantization);
  }

  private Quantization quantization(String module, int inputs) {
    if (declared.isPresent()) {
      return declared
          .get()
          .of(prefix + module)
          .orElseThrow(
              () ->
                  new ModelFormatException(
                      "The tensor %s%s.scales is there, and config.json says that %1$s%2$s is not quantized"
                          .formatted(prefix, module)));
    }
    var words = any(module + ".weight").dim(1);
    var groups = any(module + ".scales").dim(1);
    return new Quantization(words * 32 / inputs, inputs / groups);
  }

  private Array any(String name) {
    var found = tensors.get(prefix + name);
    if (found == null) {
      throw new ModelFormatException("The tensor %s%s is missing".formatted(prefix, name));
    }
    unused.remove(prefix + name);
    return found;
  }
}
