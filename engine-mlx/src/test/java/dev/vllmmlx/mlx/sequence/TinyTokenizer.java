package dev.vllmmlx.mlx.sequence;

import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * A byte-level tokenizer for tests: ids 0 to 255 are bytes, in the order of the byte alphabet; then
 * come one merge and special tokens. Written as files, to be read as any checkpoint's.
 */
public final class TinyTokenizer {
  public static final int TH = 256;
  public static final int BOS = 257;
  public static final int TURN = 258;
  public static final int EOS = 259;
  public static final int SIZE = 260;

  private static final String TEMPLATE =
      "<|bos|>{% for message in messages %}{{ message.role }}: {{ message.content }}<|turn|>"
          + "{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";

  private TinyTokenizer() {}

  /** Its files, with a chat template. */
  public static void write(Path folder) {
    var letters = letters();
    var vocabulary = new LinkedHashMap<String, Integer>();
    for (var letter : letters.values()) {
      vocabulary.put(letter, vocabulary.size());
    }
    // So that "th" is one token: deltas of several characters.
    vocabulary.put("th", TH);
    var special = List.of(added(BOS, "<|bos|>"), added(TURN, "<|turn|>"), added(EOS, "<|eos|>"));
    var byteLevel =
        Map.of(
            "type",
            "ByteLevel",
            "add_prefix_space",
            false,
            "trim_offsets",
            true,
            "use_regex",
            false);
    var tokenizer = new LinkedHashMap<String, Object>();
    tokenizer.put("version", "1.0");
    tokenizer.put("added_tokens", special);
    tokenizer.put("pre_tokenizer", byteLevel);
    tokenizer.put("decoder", byteLevel);
    tokenizer.put(
        "model", Map.of("type", "BPE", "vocab", vocabulary, "merges", List.of(List.of("t", "h"))));
    write(folder.resolve("tokenizer.json"), tokenizer);
    write(
        folder.resolve("tokenizer_config.json"),
        Map.of("bos_token", "<|bos|>", "eos_token", "<|eos|>", "chat_template", TEMPLATE));
  }

  /** The tokenizer of a folder where it was written. */
  public static Tokenizer in(Path folder) {
    write(folder);
    return Tokenizer.fromFolder(folder);
  }

  private static Map<String, Object> added(int id, String content) {
    return Map.of(
        "id", id,
        "content", content,
        "special", true,
        "single_word", false,
        "lstrip", false,
        "rstrip", false,
        "normalized", false);
  }

  /** GPT-2's alphabet: printable bytes are themselves, the rest are letters from U+0100 on. */
  private static Map<Integer, String> letters() {
    var letters = new LinkedHashMap<Integer, String>();
    var next = 0x100;
    for (var b = 0; b < 256; b++) {
      var printable = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      letters.put(b, Character.toString(printable ? b : next++));
    }
    return letters;
  }

  private static void write(Path file, Map<String, ?> json) {
    try {
      Files.writeString(file, JsonMapper.shared().writeValueAsString(json), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
