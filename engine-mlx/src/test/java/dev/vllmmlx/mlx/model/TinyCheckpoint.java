package dev.vllmmlx.mlx.model;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.array.Mlx;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/**
 * Tiny checkpoints that need no file: every weight is a hash of the tensor's name and the element's
 * place. The same rules as {@code src/test/python/tiny.py}, so that mlx-lm's answers hold for them.
 */
public final class TinyCheckpoint {
  private final long seed;
  private final DType stored;
  private final JsonNode config;
  private final Map<String, Array> tensors = new TreeMap<>();

  private TinyCheckpoint(JsonNode reference) {
    this.seed = reference.get("seed").asLong();
    this.stored = DType.valueOf(reference.get("stored").asString().toUpperCase(Locale.ROOT));
    this.config = reference.get("config");
  }

  /** Writes a case's checkpoint as a folder, on MLX's owner thread. */
  public static void write(JsonNode reference, Path folder) throws IOException {
    var checkpoint = new TinyCheckpoint(reference);
    checkpoint.fill();
    Files.writeString(folder.resolve("config.json"), checkpoint.config.toString());
    Mlx.saveSafetensors(
        folder.resolve("model.safetensors"), checkpoint.tensors, Map.of("format", "mlx"));
  }

  /** The case's prompt. */
  public static int[] prompt(JsonNode reference) {
    var vocabulary = reference.get("config").get("vocab_size").asLong();
    var hashes = hashes(reference.get("seed").asLong(), "tokens", reference.get("prompt").asInt());
    var ids = new int[hashes.length];
    for (var i = 0; i < ids.length; i++) {
      ids[i] = (int) Long.remainderUnsigned(hashes[i], vocabulary);
    }
    return ids;
  }

  private void fill() {
    var hidden = integer("hidden_size");
    var heads = integer("num_attention_heads");
    var kvHeads = config.path("num_key_value_heads").asInt(heads);
    var headDim = config.path("head_dim").asInt(hidden / heads);
    var feed = integer("intermediate_size");
    var family = config.get("model_type").asString();
    var biased = config.path("attention_bias").asBoolean(false);
    var inputBias = biased || family.equals("qwen2");
    var mlpBias = config.path("mlp_bias").asBoolean(false);
    linear("model.embed_tokens", integer("vocab_size"), hidden, false, 0.125f);
    for (var layer = 0; layer < integer("num_hidden_layers"); layer++) {
      var at = "model.layers." + layer + ".";
      norm(at + "input_layernorm", hidden);
      norm(at + "post_attention_layernorm", hidden);
      linear(at + "self_attn.q_proj", heads * headDim, hidden, inputBias, 0.5f);
      linear(at + "self_attn.k_proj", kvHeads * headDim, hidden, inputBias, 0.5f);
      linear(at + "self_attn.v_proj", kvHeads * headDim, hidden, inputBias, 0.25f);
      linear(at + "self_attn.o_proj", hidden, heads * headDim, biased, 0.25f);
      if (family.equals("qwen3")) {
        norm(at + "self_attn.q_norm", headDim);
        norm(at + "self_attn.k_norm", headDim);
      }
      linear(at + "mlp.gate_proj", feed, hidden, mlpBias, 0.25f);
      linear(at + "mlp.up_proj", feed, hidden, mlpBias, 0.25f);
      linear(at + "mlp.down_proj", hidden, feed, mlpBias, 0.25f);
    }
    norm("model.norm", hidden);
    if (!config.get("tie_word_embeddings").asBoolean()) {
      linear("lm_head", integer("vocab_size"), hidden, false, 0.25f);
    }
  }

  private void linear(String path, int rows, int columns, boolean bias, float amplitude) {
    var plan = plan(path);
    if (plan == null) {
      put(path + ".weight", signed(path + ".weight", rows * columns, amplitude), rows, columns);
    } else {
      var bits = plan.get("bits").asInt();
      var groups = columns / plan.get("group_size").asInt();
      tensors.put(path + ".weight", words(path + ".weight", rows, columns * bits / 32));
      var step = (float) (amplitude / Math.pow(2, bits - 1) / 2);
      put(path + ".scales", aroundOne(path + ".scales", rows * groups, step), rows, groups);
      var low = (float) (-amplitude / 2 * (bits <= 3 ? 1 - Math.pow(2, -bits) : 1));
      put(path + ".biases", aroundOne(path + ".biases", rows * groups, low), rows, groups);
    }
    if (bias) {
      put(path + ".bias", signed(path + ".bias", rows, 0.25f), rows);
    }
  }

  private JsonNode plan(String path) {
    var quantization = config.path("quantization");
    if (!quantization.isObject()) {
      return null;
    }
    var own = quantization.path(path);
    return own.isBoolean() ? null : own.isObject() ? own : quantization;
  }

  private void norm(String path, int size) {
    put(path + ".weight", aroundOne(path + ".weight", size, 1), size);
  }

  private void put(String name, float[] values, int... shape) {
    tensors.put(name, Mlx.astype(Mlx.array(values, shape), stored));
  }

  private Array words(String name, int rows, int columns) {
    var hashes = hashes(seed, name, rows * columns);
    var words = new int[hashes.length];
    for (var i = 0; i < words.length; i++) {
      words[i] = (int) (hashes[i] >>> 32);
    }
    return Mlx.viewAs(Mlx.array(words, rows, columns), DType.UINT32);
  }

  private float[] signed(String name, int count, float amplitude) {
    var hashes = hashes(seed, name, count);
    var values = new float[count];
    for (var i = 0; i < count; i++) {
      values[i] = ((hashes[i] >>> 56) - 128) / 128f * amplitude;
    }
    return values;
  }

  private float[] aroundOne(String name, int count, float factor) {
    var hashes = hashes(seed, name, count);
    var values = new float[count];
    for (var i = 0; i < count; i++) {
      values[i] = (1 + ((hashes[i] >>> 60) - 8) / 32f) * factor;
    }
    return values;
  }

  private int integer(String key) {
    return config.get(key).asInt();
  }

  /** SplitMix64 from a start that depends on the seed and the name. */
  private static long[] hashes(long seed, String name, int count) {
    var gamma = 0x9E3779B97F4A7C15L;
    var z = fnv1a(name) ^ (seed * gamma);
    var hashes = new long[count];
    for (var i = 0; i < count; i++) {
      z += gamma;
      var h = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
      h = (h ^ (h >>> 27)) * 0x94D049BB133111EBL;
      hashes[i] = h ^ (h >>> 31);
    }
    return hashes;
  }

  private static long fnv1a(String text) {
    var value = 0xCBF29CE484222325L;
    for (var b : text.getBytes(StandardCharsets.UTF_8)) {
      value = (value ^ (b & 0xff)) * 0x100000001B3L;
    }
    return value;
  }
}
