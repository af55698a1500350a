package dev.vllmmlx.mlx.parity;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/**
 * Writes a {@link TinyCheckpoint} as llama.cpp's converter would: its names, its order of q's and
 * k's rows for the architecture llama, Q4_1 blocks for what is packed in 4 bits and groups of 32.
 */
public final class TinyGguf {

  private static final Map<String, Integer> TYPES = Map.of("F32", 0, "F16", 1, "Q4_1", 3);
  private static final int ALIGNMENT = 32;
  private static final Map<String, String> MODULES =
      Map.ofEntries(
          Map.entry("self_attn.q_proj", "attn_q"),
          Map.entry("self_attn.k_proj", "attn_k"),
          Map.entry("self_attn.v_proj", "attn_v"),
          Map.entry("self_attn.o_proj", "attn_output"),
          Map.entry("self_attn.q_norm", "attn_q_norm"),
          Map.entry("self_attn.k_norm", "attn_k_norm"),
          Map.entry("mlp.gate_proj", "ffn_gate"),
          Map.entry("mlp.up_proj", "ffn_up"),
          Map.entry("mlp.down_proj", "ffn_down"),
          Map.entry("input_layernorm", "attn_norm"),
          Map.entry("post_attention_layernorm", "ffn_norm"));

  /** A tensor with its rows as bytes. */
  private record Entry(int type, List<Integer> shape, byte[][] rows) {}

  private final JsonNode config;
  private final Map<String, Entry> tensors = new TreeMap<>();
  private final Map<String, Object> metadata = new TreeMap<>();

  public TinyGguf(TinyCheckpoint checkpoint, JsonNode config) {
    this.config = config;
    describe();
    for (var name : checkpoint.tensors().keySet()) {
      if (!name.endsWith(".scales") && !name.endsWith(".biases")) {
        tensors.put(ggufName(name), entry(name, checkpoint.tensors()));
      }
    }
  }

  /** Another value of the metadata: text, whole number or float. */
  public TinyGguf with(String key, Object value) {
    metadata.put(key, value);
    return this;
  }

  public TinyGguf without(String key) {
    metadata.remove(key);
    return this;
  }

  /** A further vector of floats. */
  public TinyGguf withTensor(String name, float... values) {
    var data = TinyTensor.floats("float32", values, values.length).data();
    tensors.put(name, new Entry(0, List.of(values.length), new byte[][] {data}));
    return this;
  }

  /** Says that a tensor has another of ggml's types, whatever its data. */
  public TinyGguf mislabeled(String name, int type) {
    tensors.computeIfPresent(name, (_, entry) -> new Entry(type, entry.shape(), entry.rows()));
    return this;
  }

  private void describe() {
    var architecture = config.get("model_type").asString();
    metadata.put("general.architecture", architecture);
    var names =
        Map.of(
            "embedding_length", "hidden_size",
            "block_count", "num_hidden_layers",
            "feed_forward_length", "intermediate_size",
            "attention.head_count", "num_attention_heads",
            "attention.head_count_kv", "num_key_value_heads",
            "attention.key_length", "head_dim",
            "context_length", "max_position_embeddings");
    names.forEach(
        (key, name) -> {
          if (config.has(name)) {
            metadata.put(architecture + "." + key, config.get(name).asInt());
          }
        });
    metadata.put(
        architecture + ".attention.layer_norm_rms_epsilon",
        config.get("rms_norm_eps").floatValue());
    metadata.put(architecture + ".rope.freq_base", config.get("rope_theta").floatValue());
  }

  private static String ggufName(String name) {
    if (!name.startsWith("model.layers.")) {
      return name.replace("model.embed_tokens", "token_embd")
          .replace("model.norm", "output_norm")
          .replace("lm_head", "output");
    }
    var parts = name.split("\\.", 4);
    var end = parts[3].lastIndexOf('.');
    return "blk.%s.%s%s"
        .formatted(parts[2], MODULES.get(parts[3].substring(0, end)), parts[3].substring(end));
  }

  private Entry entry(String name, Map<String, TinyTensor> all) {
    var tensor = all.get(name);
    var rows = rows(tensor);
    var type = tensor.dtype();
    var shape = new ArrayList<Integer>();
    for (var extent : tensor.shape()) {
      shape.addFirst(extent);
    }
    var scales = all.get(name.replace(".weight", ".scales"));
    if (type.equals("U32")) {
      type = "Q4_1";
      shape.set(0, shape.getFirst() * 8);
      rows = q41(rows, rows(scales), rows(all.get(name.replace(".weight", ".biases"))));
    }
    if (config.get("model_type").asString().equals("llama")) {
      if (name.contains("q_proj")) {
        rows = paired(rows, tensor, config.get("num_attention_heads").asInt());
      } else if (name.contains("k_proj")) {
        rows = paired(rows, tensor, config.get("num_key_value_heads").asInt());
      }
    }
    return new Entry(TYPES.get(type), shape, rows);
  }

  private static byte[][] rows(TinyTensor tensor) {
    var rows = new byte[tensor.shape()[0]][];
    var bytes = tensor.data().length / rows.length;
    for (var i = 0; i < rows.length; i++) {
      rows[i] = java.util.Arrays.copyOfRange(tensor.data(), i * bytes, (i + 1) * bytes);
    }
    return rows;
  }

  /** Row (h, 0, i) and row (h, 1, i) of a head become neighbours. */
  private static byte[][] paired(byte[][] rows, TinyTensor tensor, int heads) {
    var half = tensor.shape()[0] / heads / 2;
    var out = new byte[rows.length][];
    for (var row = 0; row < rows.length; row++) {
      var head = row / (2 * half);
      var within = row % (2 * half);
      out[2 * half * head + 2 * (within % half) + within / half] = rows[row];
    }
    return out;
  }

  /** Blocks of scale, minimum, and 16 bytes whose low nibbles come before the high ones. */
  private static byte[][] q41(byte[][] words, byte[][] scales, byte[][] biases) {
    var out = new byte[words.length][];
    for (var row = 0; row < words.length; row++) {
      var blocks = scales[row].length / 2;
      var to = ByteBuffer.allocate(20 * blocks);
      for (var block = 0; block < blocks; block++) {
        to.put(scales[row], 2 * block, 2).put(biases[row], 2 * block, 2);
        for (var i = 0; i < 16; i++) {
          to.put((byte) (nibble(words[row], block, i) | nibble(words[row], block, i + 16) << 4));
        }
      }
      out[row] = to.array();
    }
    return out;
  }

  private static int nibble(byte[] words, int block, int i) {
    return words[16 * block + i / 2] >> 4 * (i % 2) & 15;
  }

  public void write(Path file) {
    var head = new Bytes();
    head.text("GGUF", false);
    head.int32(3).int64(tensors.size()).int64(metadata.size());
    metadata.forEach(head::entry);
    long offset = 0;
    for (var named : tensors.entrySet()) {
      var entry = named.getValue();
      head.text(named.getKey(), true);
      head.int32(entry.shape().size());
      entry.shape().forEach(head::int64);
      head.int32(entry.type()).int64(offset);
      offset += padded(size(entry));
    }
    head.pad();
    for (var entry : tensors.values()) {
      for (var row : entry.rows()) {
        head.out.writeBytes(row);
      }
      head.pad();
    }
    try {
      Files.write(file, head.out.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long size(Entry entry) {
    return (long) entry.rows().length * entry.rows()[0].length;
  }

  private static long padded(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** Little-endian, as the format wants. */
  private static final class Bytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Bytes int32(int value) {
      out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
      return this;
    }

    Bytes int64(long value) {
      out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
      return this;
    }

    void text(String text, boolean counted) {
      var bytes = text.getBytes(StandardCharsets.UTF_8);
      if (counted) {
        int64(bytes.length);
      }
      out.writeBytes(bytes);
    }

    void entry(String key, Object value) {
      text(key, true);
      switch (value) {
        case Integer number -> int32(4).int32(number);
        case Float number -> int32(6).int32(Float.floatToIntBits(number));
        case String text -> int32(8).text(text, true);
        default -> throw new IllegalArgumentException(key);
      }
    }

    void pad() {
      out.writeBytes(new byte[(int) (padded(out.size()) - out.size())]);
    }
  }
}
