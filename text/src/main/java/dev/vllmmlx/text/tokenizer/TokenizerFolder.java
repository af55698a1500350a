package dev.vllmmlx.text.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.MissingNode;
import tools.jackson.databind.node.ObjectNode;

/** A checkpoint's folder, read as transformers' {@code AutoTokenizer} reads it. */
final class TokenizerFolder {
  private final Path folder;
  private final JsonNode config;

  TokenizerFolder(Path folder) {
    this.folder = folder;
    this.config = json("tokenizer_config.json");
  }

  Tokenizer load() {
    var file = folder.resolve("tokenizer.json");
    if (!Files.isRegularFile(file)) {
      throw new TokenizerException(
          Files.isRegularFile(folder.resolve("tokenizer.model"))
              ? "%s has a tokenizer.model and no tokenizer.json; convert it first".formatted(folder)
              : "%s has no tokenizer.json".formatted(folder));
    }
    var specialTokens =
        specialTokens(json("special_tokens_map.json")).overriddenBy(specialTokens(config));
    return new Tokenizer(
        withAddedTokens(text(file), specialTokens),
        specialTokens,
        new ChatTemplateFiles(folder, config).read(),
        declaredEnds(),
        config.path("clean_up_tokenization_spaces").asBoolean(false));
  }

  // --- special tokens

  private static SpecialTokens specialTokens(JsonNode json) {
    var roles = new LinkedHashMap<String, String>();
    var additional = new ArrayList<String>();
    json.properties()
        .forEach(
            entry -> {
              var content = content(entry.getValue());
              if (entry.getKey().endsWith("_token") && !content.isEmpty()) {
                roles.put(entry.getKey(), content);
              } else if (isMore(entry.getKey(), entry.getValue())) {
                entry.getValue().forEach(each -> additional.add(content(each)));
              }
            });
    // Models with tokens of their own kind name them here.
    json.path("model_specific_special_tokens")
        .properties()
        .forEach(entry -> roles.put(entry.getKey(), content(entry.getValue())));
    return new SpecialTokens(roles, additional);
  }

  private static boolean isMore(String key, JsonNode value) {
    return value.isArray()
        && (key.equals("additional_special_tokens") || key.equals("extra_special_tokens"));
  }

  /** Tokens are written as text or as an object with flags. */
  private static String content(JsonNode token) {
    return token.isString() ? token.asString() : token.path("content").asString("");
  }

  // --- added tokens

  /**
   * The tokenizer with the tokens and flags that the files beside it add: those of
   * tokenizer_config.json go before its own.
   */
  private String withAddedTokens(String json, SpecialTokens specialTokens) {
    var vocabulary = Vocabulary.of(json);
    var known = vocabulary.added();
    var changes = new LinkedHashMap<String, AddedToken>();
    for (var token : configuredTokens(known)) {
      var present = known.get(token.content());
      if (present == null || !present.equals(token.withId(present.id()))) {
        changes.put(token.content(), token);
      }
    }
    for (var content : specialTokens.all()) {
      var id = vocabulary.idOf(content);
      if (id.isPresent() && !known.containsKey(content) && !changes.containsKey(content)) {
        changes.put(content, AddedToken.special(id.getAsInt(), content));
      }
    }
    return changes.isEmpty() ? json : withAddedTokens(json, known, changes);
  }

  private List<AddedToken> configuredTokens(Map<String, AddedToken> known) {
    var tokens = new ArrayList<AddedToken>();
    var decoder = config.path("added_tokens_decoder");
    for (var entry : decoder.properties()) {
      tokens.add(AddedToken.of(entry.getValue(), id(entry.getKey())));
    }
    if (decoder.isEmpty()) {
      // An older file, which tells no flags: it can only add.
      for (var entry : json("added_tokens.json").properties()) {
        if (!known.containsKey(entry.getKey())) {
          tokens.add(AddedToken.plain(entry.getValue().asInt(-1), entry.getKey()));
        }
      }
    }
    return tokens;
  }

  private int id(String key) {
    try {
      return Integer.parseInt(key);
    } catch (NumberFormatException e) {
      throw new TokenizerException(
          "%s: added_tokens_decoder has the key '%s', which is no id"
              .formatted(folder.resolve("tokenizer_config.json"), key),
          e);
    }
  }

  private static String withAddedTokens(
      String json, Map<String, AddedToken> known, Map<String, AddedToken> changes) {
    var all = new LinkedHashMap<>(known);
    all.putAll(changes);
    var root = (ObjectNode) Vocabulary.JSON.readTree(json);
    ArrayNode list = root.putArray("added_tokens");
    all.values().stream()
        .sorted(java.util.Comparator.comparingInt(AddedToken::id))
        .forEach(token -> list.add(token.toJson()));
    return root.toString();
  }

  // --- ends

  private Set<Integer> declaredEnds() {
    var ends = new TreeSet<Integer>();
    for (var name : List.of("generation_config.json", "config.json")) {
      var file = json(name);
      addIds(file.path("eos_token_id"), ends);
      addIds(file.path("text_config").path("eos_token_id"), ends);
    }
    return ends;
  }

  private static void addIds(JsonNode value, Set<Integer> ids) {
    if (value.isInt()) {
      ids.add(value.asInt());
    }
    value.values().forEach(each -> addIds(each, ids));
  }

  // --- files

  /** The file's JSON, or a missing node where there is no such file. */
  private JsonNode json(String name) {
    var file = folder.resolve(name);
    if (!Files.isRegularFile(file)) {
      return MissingNode.getInstance();
    }
    return parse(file, text(file));
  }

  static JsonNode parse(Path file, String text) {
    try {
      return Vocabulary.JSON.readTree(text);
    } catch (JacksonException e) {
      throw new TokenizerException("%s: %s".formatted(file, e.getOriginalMessage()), e);
    }
  }

  static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new TokenizerException("%s cannot be read: %s".formatted(file, e), e);
    }
  }
}
