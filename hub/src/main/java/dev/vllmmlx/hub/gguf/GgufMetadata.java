package dev.vllmmlx.hub.gguf;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The header of a GGUF file: key/value pairs in the file's order, and the table of tensors.
 * Immutable.
 *
 * <p>Each accessor is empty for a key that is not there and throws {@link GgufException}, which
 * names key and types, for a value of another type. Arrays that are handed out are the reader's
 * own: do not write to them.
 */
public final class GgufMetadata {
  private final int version;
  private final Map<String, Object> values;
  private final List<GgufTensor> tensors;

  /** Values are of the Java types that {@link GgufReader} makes. */
  GgufMetadata(int version, Map<String, Object> values, List<GgufTensor> tensors) {
    this.version = version;
    this.values = values;
    this.tensors = List.copyOf(tensors);
  }

  /**
   * Reads the header of a file of version 2 or 3, little-endian; the tensors' data is not touched.
   *
   * @throws GgufException if the file cannot be read, is none of the kind, or contradicts itself
   */
  public static GgufMetadata read(Path file) {
    return read(file, _ -> true);
  }

  /**
   * The same with the values of some keys only: a vocabulary is most of a header, and takes a tenth
   * of a second.
   */
  public static GgufMetadata read(Path file, Predicate<String> keys) {
    return GgufReader.read(file, keys);
  }

  /** The format's version: 2 or 3. */
  public int version() {
    return version;
  }

  public Set<String> keys() {
    return values.keySet();
  }

  public boolean has(String key) {
    return values.containsKey(key);
  }

  public List<GgufTensor> tensors() {
    return tensors;
  }

  public Optional<String> string(String key) {
    return value(key, String.class);
  }

  public Optional<Boolean> bool(String key) {
    return value(key, Boolean.class);
  }

  /** An integer of any width; those of 64 bits without sign appear as their two's complement. */
  public OptionalLong integer(String key) {
    return value(key, Long.class).map(OptionalLong::of).orElse(OptionalLong.empty());
  }

  /** A floating-point number, or an integer as one. */
  public OptionalDouble number(String key) {
    var number = value(key, Number.class);
    return number.isPresent()
        ? OptionalDouble.of(number.get().doubleValue())
        : OptionalDouble.empty();
  }

  /** An array of strings, unmodifiable. Bytes that are no UTF-8 were replaced by U+FFFD. */
  public Optional<List<String>> strings(String key) {
    return value(key, String[].class).map(List::of);
  }

  /** An array of integers of up to 32 bits (unsigned ones of 32 bits are {@link #longs}). */
  public Optional<int[]> ints(String key) {
    return value(key, int[].class);
  }

  /** An array of integers of any width. */
  public Optional<long[]> longs(String key) {
    return value(key, Object.class)
        .map(
            value ->
                switch (value) {
                  case int[] narrow -> Arrays.stream(narrow).asLongStream().toArray();
                  case long[] wide -> wide;
                  default -> throw wrongType(key, "array of integers", value);
                });
  }

  /** An array of 32-bit floats. */
  public Optional<float[]> floats(String key) {
    return value(key, float[].class);
  }

  /** An array of truth values. */
  public Optional<boolean[]> bools(String key) {
    return value(key, boolean[].class);
  }

  /** A required string, for callers that cannot go on without it. */
  public String requireString(String key) {
    return string(key).orElseThrow(() -> new GgufException("The metadata has no '" + key + "'."));
  }

  private <T> Optional<T> value(String key, Class<T> type) {
    var value = values.get(key);
    if (value != null && !type.isInstance(value)) {
      throw wrongType(key, type.getSimpleName(), value);
    }
    return Optional.ofNullable(value).map(type::cast);
  }

  private static GgufException wrongType(String key, String wanted, Object value) {
    return new GgufException(
        "The metadata's '%s' is of type %s, expected %s."
            .formatted(key, value.getClass().getSimpleName(), wanted));
  }
}
