package dev.vllmmlx.text.tokenizer;

import dev.vllmmlx.hub.gguf.GgufMetadata;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes the tokenizer.json that a GGUF file's metadata stands for. The keys are those of the GGUF
 * specification's "Tokenizer" section.
 *
 * <p>{@code tokenizer.ggml.model} may be {@code gpt2} (byte-level BPE), {@code llama}
 * (SentencePiece BPE: scores instead of merges) or {@code gemma4} (BPE with merges over plain
 * characters).
 */
final class GgufTokenizer {
  private static final Logger LOG = LoggerFactory.getLogger(GgufTokenizer.class);
  private static final String KEY = "tokenizer.ggml.";
  private static final String TEMPLATE_KEY = "tokenizer.chat_template";
  private static final String SPACE_MARK = "\u2581";

  // llama.cpp's token types that matter here.
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int BYTE = 6;

  private final GgufMetadata metadata;
  private final String model;
  private final List<String> tokens;
  private final int[] types;

  GgufTokenizer(GgufMetadata metadata) {
    this.metadata = metadata;
    this.model =
        metadata
            .string(KEY + "model")
            .orElseThrow(() -> new TokenizerException("The file has no tokenizer.ggml.model"));
    this.tokens =
        metadata
            .strings(KEY + "tokens")
            .orElseThrow(() -> new TokenizerException("The file has no tokenizer.ggml.tokens"));
    this.types = metadata.ints(KEY + "token_type").orElseGet(() -> new int[tokens.size()]);
    if (types.length != tokens.size()) {
      throw new TokenizerException(
          "tokenizer.ggml.token_type has %d values for %d tokens"
              .formatted(types.length, tokens.size()));
    }
  }

  Tokenizer load() {
    return new Tokenizer(json().toString(), specialTokens(), chatTemplates(), ends(), false);
  }

  /** The tokenizer.json. */
  ObjectNode json() {
    return switch (model) {
      case "gpt2" -> byteLevel();
      case "llama" -> sentencePiece();
      case "gemma4" -> plainMerges();
      default ->
          throw new TokenizerException(
              "tokenizer.ggml.model: '%s' is not supported; known are gpt2, llama and gemma4"
                  .formatted(model));
    };
  }

  // --- the three kinds

  private ObjectNode byteLevel() {
    var pre = preTokenizer();
    var root = root(pre.addBos());
    root.set("normalizer", pre.normalizer());
    root.set("pre_tokenizer", pre.preTokenizer());
    root.set("decoder", GgufPreTokenizer.byteLevel(true));
    var bpe = bpe(root, false).put("ignore_merges", pre.ignoreMerges());
    bpe.set("merges", merges());
    return root;
  }

  private GgufPreTokenizer preTokenizer() {
    var name = metadata.string(KEY + "pre").orElse("");
    if (name.isEmpty() || name.equals("default")) {
      LOG.warn(
          "The GGUF file does not say how its tokenizer splits text (tokenizer.ggml.pre): splitting as"
              + " GPT-2 does, which may not be what the model learned with");
      return GgufPreTokenizer.named("gpt-2");
    }
    return GgufPreTokenizer.named(name);
  }

  private ObjectNode sentencePiece() {
    var prefixed = flag("add_space_prefix", true);
    var root = root(true);
    var normalizers = root.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
    if (prefixed) {
      normalizers.addObject().put("type", "Prepend").put("prepend", SPACE_MARK);
    }
    replace(normalizers.addObject(), " ", SPACE_MARK);
    root.set("decoder", decoder(prefixed));
    bpe(root, true).set("merges", mergesByScore());
    return root;
  }

  private ObjectNode plainMerges() {
    var root = root(true);
    replace(root.putObject("normalizer"), " ", SPACE_MARK);
    root.set("decoder", decoder(false));
    bpe(root, true).set("merges", merges());
    return root;
  }

  /** Space marks and byte tokens to text; the space that was put in front is taken off again. */
  private static ObjectNode decoder(boolean prefixed) {
    var decoder = Vocabulary.JSON.createObjectNode().put("type", "Sequence");
    var steps = decoder.putArray("decoders");
    replace(steps.addObject(), SPACE_MARK, " ");
    steps.addObject().put("type", "ByteFallback");
    steps.addObject().put("type", "Fuse");
    if (prefixed) {
      steps.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    }
    return decoder;
  }

  private static void replace(ObjectNode step, String what, String with) {
    step.put("type", "Replace").put("content", with).putObject("pattern").put("String", what);
  }

  // --- parts

  private ObjectNode root(boolean addBosByDefault) {
    var root = Vocabulary.JSON.createObjectNode().put("version", "1.0");
    root.putNull("truncation").putNull("padding");
    var added = root.putArray("added_tokens");
    for (var id = 0; id < tokens.size(); id++) {
      if (types[id] == CONTROL || types[id] == UNKNOWN) {
        added.add(AddedToken.special(id, tokens.get(id)).toJson());
      } else if (types[id] == USER_DEFINED) {
        added.add(userDefined(id).toJson());
      }
    }
    root.set("post_processor", postProcessor(addBosByDefault));
    return root;
  }

  /** One with space marks is looked for in the text as the normalizer leaves it. */
  private AddedToken userDefined(int id) {
    var content = tokens.get(id);
    var marked = !model.equals("gpt2") && content.contains(SPACE_MARK);
    return new AddedToken(id, content, false, false, false, marked, false);
  }

  private ObjectNode bpe(ObjectNode root, boolean byteFallback) {
    var bpe = root.putObject("model").put("type", "BPE");
    bpe.put("byte_fallback", byteFallback).put("fuse_unk", byteFallback);
    var unknown = token("unknown_token_id");
    if (byteFallback && unknown != null) {
      bpe.put("unk_token", unknown);
    }
    var vocabulary = bpe.putObject("vocab");
    for (var id = 0; id < tokens.size(); id++) {
      vocabulary.put(tokens.get(id), id);
    }
    return bpe;
  }

  private ArrayNode merges() {
    var merges = Vocabulary.JSON.createArrayNode();
    var lines =
        metadata
            .strings(KEY + "merges")
            .orElseThrow(() -> new TokenizerException("The file has no tokenizer.ggml.merges"));
    for (var line : lines) {
      var space = line.indexOf(' ', 1);
      if (space < 0) {
        throw new TokenizerException(
            "tokenizer.ggml.merges: '%s' is not two tokens".formatted(line));
      }
      merges.addArray().add(line.substring(0, space)).add(line.substring(space + 1));
    }
    return merges;
  }

  private record Merge(String left, String right, float score, int leftLength, int rightLength) {}

  /**
   * SentencePiece merges whichever neighbours make the token of the highest score; as a list of
   * merges: every way to make a token of two, best score first.
   */
  private ArrayNode mergesByScore() {
    var scores =
        metadata
            .floats(KEY + "scores")
            .orElseThrow(() -> new TokenizerException("The file has no tokenizer.ggml.scores"));
    var ids = new HashMap<String, Integer>();
    for (var id = 0; id < tokens.size(); id++) {
      if (types[id] != CONTROL && types[id] != UNKNOWN && types[id] != BYTE) {
        ids.put(tokens.get(id), id);
      }
    }
    var found = new ArrayList<Merge>();
    for (var id = 0; id < tokens.size(); id++) {
      var token = tokens.get(id);
      if (ids.containsKey(token)) {
        found.addAll(waysToMake(token, scores[id], ids));
      }
    }
    found.sort(
        Comparator.comparingDouble(Merge::score)
            .thenComparingInt(Merge::leftLength)
            .thenComparingInt(Merge::rightLength)
            .reversed());
    var merges = Vocabulary.JSON.createArrayNode();
    found.forEach(merge -> merges.addArray().add(merge.left()).add(merge.right()));
    return merges;
  }

  private static List<Merge> waysToMake(String token, float score, Map<String, Integer> ids) {
    var ways = new ArrayList<Merge>();
    var length = token.codePointCount(0, token.length());
    for (var n = 1; n < length; n++) {
      var cut = token.offsetByCodePoints(0, n);
      var left = token.substring(0, cut);
      var right = token.substring(cut);
      if (ids.containsKey(left) && ids.containsKey(right)) {
        ways.add(new Merge(left, right, score, n, length - n));
      }
    }
    ways.sort(Comparator.comparing(way -> ids.get(way.left())));
    return ways;
  }

  /** Puts bos before and eos after a text, as far as the file asks for it. */
  private tools.jackson.databind.JsonNode postProcessor(boolean addBosByDefault) {
    var bos = flag("add_bos_token", addBosByDefault) ? bos() : null;
    var eos = flag("add_eos_token", false) ? eos() : null;
    if (bos == null && eos == null) {
      return Vocabulary.JSON.nullNode();
    }
    var processor = Vocabulary.JSON.createObjectNode().put("type", "TemplateProcessing");
    var single = processor.putArray("single");
    addSpecial(single, bos);
    addSequence(single, "A");
    addSpecial(single, eos);
    var pair = processor.putArray("pair");
    addSequence(pair, "A");
    addSequence(pair, "B");
    var used = processor.putObject("special_tokens");
    for (var token : new String[] {bos, eos}) {
      if (token != null) {
        var entry = used.putObject(token).put("id", token);
        entry.putArray("ids").add(tokens.indexOf(token));
        entry.putArray("tokens").add(token);
      }
    }
    return processor;
  }

  private static void addSpecial(ArrayNode list, String token) {
    if (token != null) {
      list.addObject().putObject("SpecialToken").put("id", token).put("type_id", 0);
    }
  }

  private static void addSequence(ArrayNode list, String name) {
    list.addObject().putObject("Sequence").put("id", name).put("type_id", 0);
  }

  // --- what stands beside the tokenizer

  private SpecialTokens specialTokens() {
    var roles = new LinkedHashMap<String, String>();
    putRole(roles, "bos_token", bos());
    putRole(roles, "eos_token", eos());
    putRole(roles, "unk_token", token("unknown_token_id"));
    putRole(roles, "sep_token", token("seperator_token_id")); // so spelled in the format
    putRole(roles, "pad_token", token("padding_token_id"));
    putRole(roles, "cls_token", token("cls_token_id"));
    putRole(roles, "mask_token", token("mask_token_id"));
    return new SpecialTokens(roles, List.of());
  }

  private static void putRole(Map<String, String> roles, String role, String token) {
    if (token != null) {
      roles.put(role, token);
    }
  }

  private ChatTemplates chatTemplates() {
    var named = new LinkedHashMap<String, String>();
    metadata.string(TEMPLATE_KEY).ifPresent(t -> named.put(ChatTemplates.DEFAULT, t));
    for (var key : metadata.keys()) {
      if (key.startsWith(TEMPLATE_KEY + ".")) {
        named.put(key.substring(TEMPLATE_KEY.length() + 1), metadata.string(key).orElseThrow());
      }
    }
    return new ChatTemplates(named);
  }

  private Set<Integer> ends() {
    var ends = new TreeSet<Integer>();
    for (var key : List.of("eos_token_id", "eot_token_id", "eom_token_id")) {
      metadata.integer(KEY + key).ifPresent(id -> ends.add(Math.toIntExact(id)));
    }
    return ends;
  }

  private String bos() {
    return token("bos_token_id", "llama".equals(model) ? 1 : -1);
  }

  private String eos() {
    return token("eos_token_id", "llama".equals(model) ? 2 : -1);
  }

  private String token(String key) {
    return token(key, -1);
  }

  /** The token whose id stands under a key, or null when there is none. */
  private String token(String key, int otherwise) {
    var id = metadata.integer(KEY + key).orElse(otherwise);
    if (id >= tokens.size()) {
      throw new TokenizerException(
          "tokenizer.ggml.%s is %d, and there are %d tokens".formatted(key, id, tokens.size()));
    }
    return id < 0 ? null : tokens.get((int) id);
  }

  private boolean flag(String key, boolean otherwise) {
    return metadata.bool(KEY + key).orElse(otherwise);
  }
}
