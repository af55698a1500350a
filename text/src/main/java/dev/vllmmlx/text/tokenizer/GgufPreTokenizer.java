package dev.vllmmlx.text.tokenizer;

import java.util.Arrays;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What the name in {@code tokenizer.ggml.pre} stands for: how a byte-level BPE tokenizer splits
 * text before it merges. A GGUF file holds only the name; the rules are those of the tokenizer.json
 * that the name's model was published with.
 *
 * @param nfc whether text is brought to normal form C first
 * @param ignoreMerges whether a piece that is itself a token is taken whole, whatever the merges
 *     say
 * @param addBos whether a bos token leads a text where the file does not say
 * @param steps the pre-tokenizers, in order
 */
record GgufPreTokenizer(boolean nfc, boolean ignoreMerges, boolean addBos, List<ObjectNode> steps) {

  private static final String CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  private static final String SPACES = "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String CJK_AND_KANA = "[\\u4E00-\\u9FA5\\u3040-\\u309F\\u30A0-\\u30FF]+";
  private static final String CJK_AND_HANGUL = "[\\u4E00-\\u9FA5\\u0800-\\u4E00\\uAC00-\\uD7FF]+";

  /** DeepSeek-V3's third split, after numbers and CJK. */
  private static final String DEEPSEEK_V3 =
      "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
          + "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
          + "| ?[\\p{P}\\p{S}]+[\\r\\n]*"
          + SPACES;

  private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String NOT_HAN_UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]";
  private static final String NOT_HAN_LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]";

  /**
   * @throws TokenizerException for a name that is not known here
   */
  static GgufPreTokenizer named(String name) {
    return switch (name) {
      case "gpt-2",
          "phi-2",
          "gigachat",
          "a.x-4.0",
          "mellum",
          "jais",
          "trillion",
          "granite-docling",
          "exaone4" ->
          splitting(gpt2());
      case "mpt", "olmo" -> splitting(gpt2()).withNfc();
      case "smollm", "starcoder", "refact", "codeshell", "exaone", "minerva-7b", "mellum2" ->
          splitting(digits(true), gpt2());
      case "command-r" -> splitting(digits(true), gpt2()).withNfc();
      case "falcon" -> splitting(punctuation(), gpt2(), digits(false), split("[0-9][0-9][0-9]"));
      case "llama3",
          "llama-v3",
          "llama-bpe",
          "falcon3",
          "falcon-h1",
          "pixtral",
          "midm-2.0",
          "lfm2" ->
          splitting(split(cl100k("\\p{N}{1,3}"))).withIgnoredMerges().withBos();
      case "dbrx", "smaug-bpe", "chatglm-bpe" -> splitting(split(cl100k("\\p{N}{1,3}")));
      case "glm4", "glm5" -> splitting(split(cl100k("\\p{N}{1,3}"))).withIgnoredMerges();
      case "qwen2", "stablelm2", "megrez", "hunyuan", "f2llmv2" ->
          splitting(split(cl100k("\\p{N}"))).withNfc();
      case "deepseek-r1-qwen", "kormo", "grok-2", "solar-open" ->
          splitting(split(cl100k("\\p{N}")));
      case "qwen35" -> splitting(split(qwen35())).withNfc();
      case "minicpm5" ->
          splitting(split("\\p{N}{1,3}"), split(cl100k("\\p{N}+"))).withIgnoredMerges();
      case "gpt-4o", "llama4", "kanana2", "minimax-m2" ->
          splitting(split(o200k(UPPER, LOWER, CONTRACTION + "?", "\\p{N}{1,3}", "[\\r\\n/]*")));
      case "tekken" ->
          splitting(split(o200k(UPPER, LOWER, "", "\\p{N}", "[\\r\\n/]*")))
              .withIgnoredMerges()
              .withBos();
      case "tiny_aya", "cohere2moe" ->
          splitting(
              split("\\d{1,3}(?=(?:\\d{3})*\\b)"),
              split(o200k(UPPER, LOWER, CONTRACTION + "?", "\\p{N}{1,3}", "[\\r\\n/]*")));
      case "kimi-k2" -> splitting(split(kimi()));
      case "deepseek-llm" ->
          splitting(
              split("[\\r\\n]"),
              split("\\s?" + DeepSeekLetters.CLASS + "+"),
              split("\\s?[!-/:-~\\uFF01-\\uFF0F\\uFF1A-\\uFF5E\\u2018-\\u201F\\u3000-\\u3002]+"),
              split("\\s+$"),
              split(CJK_AND_HANGUL),
              digits(true));
      case "deepseek-coder" ->
          splitting(
              split("[\\r\\n]"),
              split("\\s?\\p{L}+"),
              split("\\s?\\p{P}+"),
              split(CJK_AND_HANGUL),
              digits(true));
      case "deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4" ->
          splitting(split("\\p{N}{1,3}"), split(CJK_AND_KANA), split(DEEPSEEK_V3));
      case "seed-coder" ->
          splitting(
              split(
                  CONTRACTION
                      + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+"
                      + SPACES));
      case "bailingmoe", "bailingmoe2", "llada-moe" ->
          splitting(
              split(
                  "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}"
                      + "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"));
      case "superbpe" -> splitting(split("\\p{N}+"), split("(?=(\\d{3})+(?!\\d))"));
      case "poro-chat", "bloom", "gpt3-finnish" -> splitting(split(bloom()));
      case "viking" -> splitting(split(bloom()), digits(true));
      default ->
          throw new TokenizerException(
              "tokenizer.ggml.pre: the pre-tokenizer '%s' is not known".formatted(name));
    };
  }

  // --- the families of regular expressions

  /** That of GPT-4 and its many descendants, which differ in how numbers are cut. */
  private static String cl100k(String numbers) {
    return CONTRACTION
        + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
        + numbers
        + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
        + SPACES;
  }

  /** As {@link #cl100k}, with combining marks kept to their letters. */
  private static String qwen35() {
    return CONTRACTION
        + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}"
        + "| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*"
        + SPACES;
  }

  /** That of GPT-4o and Tekken: words are also cut where lower case turns to upper. */
  private static String o200k(
      String upper, String lower, String suffix, String numbers, String afterMarks) {
    var lead = "[^\\r\\n\\p{L}\\p{N}]?";
    return lead
        + (upper + "*" + lower + "+" + suffix + "|")
        + lead
        + (upper + "+" + lower + "*" + suffix + "|")
        + numbers
        + "| ?[^\\s\\p{L}\\p{N}]+"
        + afterMarks
        + SPACES;
  }

  private static String kimi() {
    return "[\\p{Han}]+|"
        + o200k(NOT_HAN_UPPER, NOT_HAN_LOWER, CONTRACTION + "?", "\\p{N}{1,3}", "[\\r\\n]*");
  }

  private static String bloom() {
    return " ?[^(\\s|.,!?\\u2026\\u3002\\uFF0C\\u3001\\u0964\\u06D4\\u060C)]+";
  }

  // --- steps

  private static ObjectNode split(String regex) {
    var json = step("Split");
    json.putObject("pattern").put("Regex", regex);
    return json.put("behavior", "Isolated").put("invert", false);
  }

  private static ObjectNode digits(boolean individual) {
    return step("Digits").put("individual_digits", individual);
  }

  private static ObjectNode punctuation() {
    return step("Punctuation").put("behavior", "Contiguous");
  }

  /** GPT-2's own expression, which is built into the byte-level step. */
  private static ObjectNode gpt2() {
    return byteLevel(true);
  }

  /** The byte-level step; as a decoder it has the same fields, of which none matters. */
  static ObjectNode byteLevel(boolean split) {
    return step("ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", split);
  }

  private static ObjectNode step(String type) {
    return Vocabulary.JSON.createObjectNode().put("type", type);
  }

  private static GgufPreTokenizer splitting(ObjectNode... steps) {
    return new GgufPreTokenizer(false, false, false, Arrays.asList(steps));
  }

  private GgufPreTokenizer withNfc() {
    return new GgufPreTokenizer(true, ignoreMerges, addBos, steps);
  }

  private GgufPreTokenizer withIgnoredMerges() {
    return new GgufPreTokenizer(nfc, true, addBos, steps);
  }

  private GgufPreTokenizer withBos() {
    return new GgufPreTokenizer(nfc, ignoreMerges, true, steps);
  }

  // --- as tokenizer.json writes it

  JsonNode normalizer() {
    return nfc ? step("NFC") : Vocabulary.JSON.nullNode();
  }

  ObjectNode preTokenizer() {
    var json = step("Sequence");
    var list = json.putArray("pretokenizers");
    steps.forEach(list::add);
    if (steps.stream().noneMatch(each -> each.path("type").asString().equals("ByteLevel"))) {
      list.add(byteLevel(false));
    }
    return json;
  }
}
