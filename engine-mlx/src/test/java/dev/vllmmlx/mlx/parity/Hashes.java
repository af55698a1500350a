package dev.vllmmlx.mlx.parity;

import java.nio.charset.StandardCharsets;

/**
 * The same numbers as the Python side makes (src/test/python/tiny.py): weights are a hash of the
 * tensor's name and the element's place.
 */
final class Hashes {

  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private Hashes() {}

  /** SplitMix64 from a start that depends on the seed and the name. */
  static long[] of(long seed, String name, int count) {
    var start = fnv1a(name) ^ (seed * GOLDEN);
    var out = new long[count];
    for (var i = 0; i < count; i++) {
      var z = start + (i + 1) * GOLDEN;
      z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
      z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
      out[i] = z ^ (z >>> 31);
    }
    return out;
  }

  /** Multiples of amplitude / 128 in [-amplitude, amplitude). */
  static float[] signed(long seed, String name, int count, float amplitude) {
    var hashes = of(seed, name, count);
    var out = new float[count];
    for (var i = 0; i < count; i++) {
      out[i] = ((hashes[i] >>> 56) - 128) / 128f * amplitude;
    }
    return out;
  }

  /** Sixteen steps from 0.75 to just below 1.25, times a factor. */
  static float[] aroundOne(long seed, String name, int count, float factor) {
    var hashes = of(seed, name, count);
    var out = new float[count];
    for (var i = 0; i < count; i++) {
      out[i] = (1 + ((hashes[i] >>> 60) - 8) / 32f) * factor;
    }
    return out;
  }

  /** The upper halves, as packed weights have them. */
  static int[] words(long seed, String name, int count) {
    var hashes = of(seed, name, count);
    var out = new int[count];
    for (var i = 0; i < count; i++) {
      out[i] = (int) (hashes[i] >>> 32);
    }
    return out;
  }

  /** A prompt. */
  static int[] tokens(long seed, int count, int vocabularySize) {
    var hashes = of(seed, "tokens", count);
    var out = new int[count];
    for (var i = 0; i < count; i++) {
      out[i] = (int) Long.remainderUnsigned(hashes[i], vocabularySize);
    }
    return out;
  }

  private static long fnv1a(String text) {
    var value = 0xCBF29CE484222325L;
    for (var b : text.getBytes(StandardCharsets.UTF_8)) {
      value = (value ^ (b & 0xff)) * 0x100000001B3L;
    }
    return value;
  }
}
