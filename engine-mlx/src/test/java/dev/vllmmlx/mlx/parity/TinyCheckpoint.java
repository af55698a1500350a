package dev.vllmmlx.mlx.parity;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * A small checkpoint whose every weight is a hash, by the same rules as src/test/python/tiny.py, so
 * that mlx-lm's answers to it can be kept without the checkpoint.
 */
public final class TinyCheckpoint {

  private final JsonNode config;
  private final long seed;
  private final String stored;
  private final Map<String, TinyTensor> tensors = new LinkedHashMap<>();

  /**
   * @param config the {@code config.json}
   * @param stored the dtype of what is not packed: float32, float16 or bfloat16
   */
  public TinyCheckpoint(JsonNode config, long seed, String stored) {
    this.config = config;
    this.seed = seed;
    this.stored = stored;
    layers();
  }

  /** The names of its tensors, and the tensors themselves: may be changed before it is written. */
  Map<String, TinyTensor> tensors() {
    return tensors;
  }

  /** Writes {@code config.json} and {@code model.safetensors}. */
  public void write(Path folder) {
    writeConfig(folder);
    writeSafetensors(folder.resolve("model.safetensors"), tensors);
  }

  /** Writes two files with an index, as large checkpoints come. */
  public void writeSharded(Path folder) {
    writeConfig(folder);
    var shards =
        java.util.List.of(
            new LinkedHashMap<String, TinyTensor>(), new LinkedHashMap<String, TinyTensor>());
    var index = JsonNodeFactory.instance.objectNode();
    var map = index.putObject("weight_map");
    for (var entry : tensors.entrySet()) {
      var shard = map.size() % 2;
      shards.get(shard).put(entry.getKey(), entry.getValue());
      map.put(entry.getKey(), shardName(shard));
    }
    for (var i = 0; i < 2; i++) {
      writeSafetensors(folder.resolve(shardName(i)), shards.get(i));
    }
    writeText(folder.resolve("model.safetensors.index.json"), index.toString());
  }

  private static String shardName(int shard) {
    return "model-0000%d-of-00002.safetensors".formatted(shard + 1);
  }

  private void layers() {
    var hidden = config.get("hidden_size").asInt();
    var heads = config.get("num_attention_heads").asInt();
    var kvHeads = config.path("num_key_value_heads").asInt(heads);
    var headDim = config.path("head_dim").asInt(hidden / heads);
    var feed = config.get("intermediate_size").asInt();
    var vocabulary = config.get("vocab_size").asInt();
    var family = config.get("model_type").asString();
    var biased = config.path("attention_bias").asBoolean(false);
    var qkvBiased = biased || family.equals("qwen2");
    var mlpBiased = config.path("mlp_bias").asBoolean(false);
    linear("model.embed_tokens", vocabulary, hidden, false, 0.125f);
    for (var layer = 0; layer < config.get("num_hidden_layers").asInt(); layer++) {
      var at = "model.layers." + layer + ".";
      norm(at + "input_layernorm", hidden);
      norm(at + "post_attention_layernorm", hidden);
      linear(at + "self_attn.q_proj", heads * headDim, hidden, qkvBiased, 0.5f);
      linear(at + "self_attn.k_proj", kvHeads * headDim, hidden, qkvBiased, 0.5f);
      linear(at + "self_attn.v_proj", kvHeads * headDim, hidden, qkvBiased, 0.25f);
      linear(at + "self_attn.o_proj", hidden, heads * headDim, biased, 0.25f);
      if (family.equals("qwen3")) {
        norm(at + "self_attn.q_norm", headDim);
        norm(at + "self_attn.k_norm", headDim);
      }
      linear(at + "mlp.gate_proj", feed, hidden, mlpBiased, 0.25f);
      linear(at + "mlp.up_proj", feed, hidden, mlpBiased, 0.25f);
      linear(at + "mlp.down_proj", hidden, feed, mlpBiased, 0.25f);
    }
    norm("model.norm", hidden);
    if (!config.get("tie_word_embeddings").asBoolean()) {
      linear("lm_head", vocabulary, hidden, false, 0.25f);
    }
  }

  private void linear(String path, int rows, int columns, boolean bias, float amplitude) {
    var general = config.path("quantization");
    var plan = general.path(path).isMissingNode() ? general : general.get(path);
    var weight = path + ".weight";
    if (plan.isObject()) {
      var bits = plan.get("bits").asInt();
      var groups = columns / plan.get("group_size").asInt();
      var words = columns * bits / 32;
      tensors.put(weight, TinyTensor.words(Hashes.words(seed, weight, rows * words), rows, words));
      var step = amplitude / (1 << (bits - 1)) / 2;
      // About zero, and few enough digits for every dtype.
      var low = -amplitude / 2 * (bits <= 3 ? 1 - 1f / (1 << bits) : 1);
      put(
          path + ".scales",
          Hashes.aroundOne(seed, path + ".scales", rows * groups, step),
          rows,
          groups);
      put(
          path + ".biases",
          Hashes.aroundOne(seed, path + ".biases", rows * groups, low),
          rows,
          groups);
    } else {
      put(weight, Hashes.signed(seed, weight, rows * columns, amplitude), rows, columns);
    }
    if (bias) {
      put(path + ".bias", Hashes.signed(seed, path + ".bias", rows, 0.25f), rows);
    }
  }

  private void norm(String path, int size) {
    put(path + ".weight", Hashes.aroundOne(seed, path + ".weight", size, 1), size);
  }

  private void put(String name, float[] values, int... shape) {
    tensors.put(name, TinyTensor.floats(stored, values, shape));
  }

  private void writeConfig(Path folder) {
    writeConfig(folder, config);
  }

  static void writeConfig(Path folder, JsonNode config) {
    writeText(folder.resolve("config.json"), config.toString());
  }

  private static void writeText(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The format: a JSON header's length, the header with each tensor's place, the data. */
  private static void writeSafetensors(Path file, Map<String, TinyTensor> tensors) {
    var header = JsonNodeFactory.instance.objectNode();
    header.putObject("__metadata__").put("format", "mlx");
    long offset = 0;
    for (var entry : tensors.entrySet()) {
      var tensor = entry.getValue();
      var about = header.putObject(entry.getKey()).put("dtype", tensor.dtype());
      var shape = about.putArray("shape");
      for (var extent : tensor.shape()) {
        shape.add(extent);
      }
      about.putArray("data_offsets").add(offset).add(offset + tensor.data().length);
      offset += tensor.data().length;
    }
    var text = JsonMapper.shared().writeValueAsString(header);
    text += " ".repeat((8 - text.length() % 8) % 8); // Readers map the data, which wants alignment.
    var bytes = text.getBytes(StandardCharsets.UTF_8);
    try (var out = Files.newOutputStream(file)) {
      out.write(
          ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(bytes.length).array());
      out.write(bytes);
      for (var tensor : tensors.values()) {
        out.write(tensor.data());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
