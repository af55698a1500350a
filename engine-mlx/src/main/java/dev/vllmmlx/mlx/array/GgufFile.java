package dev.vllmmlx.mlx.array;

import java.util.List;
import java.util.Map;

/**
 * What a {@code .gguf} file holds. MLX gives Q4_0, Q4_1 and Q8_0 tensors as packed weights with
 * {@code .scales} and {@code .biases} in groups of 32, and other types as float16.
 *
 * @param arrays by name, in the order of names; they belong to the scope in which the file was
 *     opened
 * @param metadata by key, such as {@code llama.block_count}
 */
public record GgufFile(Map<String, Array> arrays, Map<String, Value> metadata) {

  /** A value of the metadata. */
  public sealed interface Value {

    record Text(String text) implements Value {}

    record Texts(List<String> texts) implements Value {}

    record Flag(boolean flag) implements Value {}

    record Whole(long number) implements Value {}

    record Wholes(long[] numbers) implements Value {}

    record Real(double number) implements Value {}

    record Reals(float[] numbers) implements Value {}

    /** A type that MLX does not read. */
    record Unread() implements Value {}
  }
}
