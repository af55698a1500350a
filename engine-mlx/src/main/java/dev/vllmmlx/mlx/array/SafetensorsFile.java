package dev.vllmmlx.mlx.array;

import java.util.Map;

/**
 * What a {@code .safetensors} file holds. On a CPU the arrays are pages of the file, which must not
 * be cut short while they live; else their data is read when they are evaluated.
 *
 * @param arrays by name, in the order of names; they belong to the scope in which the file was
 *     opened
 * @param metadata the file's {@code __metadata__}
 */
public record SafetensorsFile(Map<String, Array> arrays, Map<String, String> metadata) {}
