package dev.vllmmlx.text.tokenizer;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Which token has which id, and what the decoder is: the parts of a tokenizer.json that this
 * package needs itself. Read as a stream, since the merges of large vocabularies are most of the
 * file.
 */
final class Vocabulary {
  static final JsonMapper JSON = JsonMapper.builder().build();

  private static final Logger LOG = LoggerFactory.getLogger(Vocabulary.class);

  private final Map<String, Integer> ids = new HashMap<>();
  private final Map<String, AddedToken> added = new LinkedHashMap<>();
  private final BitSet special = new BitSet();
  private String[] tokens = new String[0];
  private String modelType = "";
  private JsonNode decoder;

  private Vocabulary() {}

  /**
   * @param json the text of a tokenizer.json
   * @throws TokenizerException when it is no such thing
   */
  static Vocabulary of(String json) {
    var vocabulary = new Vocabulary();
    JsonNode added = JSON.createArrayNode();
    try (var parser = JSON.createParser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new TokenizerException("tokenizer.json: not a JSON object");
      }
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        var name = parser.currentName();
        parser.nextToken();
        switch (name) {
          case "added_tokens" -> added = parser.readValueAsTree();
          case "decoder" -> vocabulary.decoder = parser.readValueAsTree();
          case "model" -> vocabulary.readModel(parser);
          default -> parser.skipChildren();
        }
      }
    } catch (JacksonException e) {
      throw new TokenizerException("tokenizer.json: " + e.getOriginalMessage(), e);
    }
    vocabulary.placeAdded(added);
    if (vocabulary.tokens.length == 0) {
      throw new TokenizerException("tokenizer.json: no vocabulary in it");
    }
    return vocabulary;
  }

  private void readModel(JsonParser parser) {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw new TokenizerException("tokenizer.json: 'model' is not an object");
    }
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      var name = parser.currentName();
      var value = parser.nextToken();
      if (name.equals("type")) {
        modelType = parser.getString();
      } else if (name.equals("vocab") && value == JsonToken.START_OBJECT) {
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
          var token = parser.currentName();
          parser.nextToken();
          place(token, parser.getIntValue());
        }
      } else if (name.equals("vocab") && value == JsonToken.START_ARRAY) {
        modelType = modelType.isEmpty() ? "Unigram" : modelType;
        for (var id = 0; parser.nextToken() == JsonToken.START_ARRAY; id++) {
          parser.nextToken();
          place(parser.getString(), id);
          while (parser.nextToken() != JsonToken.END_ARRAY) {
            parser.skipChildren();
          }
        }
      } else {
        modelType = name.equals("merges") && modelType.isEmpty() ? "BPE" : modelType;
        parser.skipChildren();
      }
    }
  }

  /**
   * Gives added tokens the ids that the library gives them, which takes no notice of those that are
   * written: a token of the model keeps its own, another gets the next free one.
   */
  private void placeAdded(JsonNode list) {
    var next = ids.size();
    for (var json : list) {
      var written = AddedToken.of(json, json.path("id").asInt(-1));
      if (written.content().isEmpty()) {
        continue;
      }
      var known = ids.get(written.content());
      var token = written.withId(known == null ? next : known);
      if (token.id() != written.id()) {
        LOG.warn(
            "tokenizer.json: the added token '{}' is written with id {} and has id {}",
            token.content(),
            written.id(),
            token.id());
      }
      next = Math.max(next, token.id() + 1);
      added.put(token.content(), token);
      place(token.content(), token.id());
      if (token.special()) {
        special.set(token.id());
      }
    }
    var end = tokens.length;
    while (end > 0 && tokens[end - 1] == null) {
      end--;
    }
    tokens = Arrays.copyOf(tokens, end);
  }

  private void place(String token, int id) {
    if (id < 0) {
      throw new TokenizerException(
          "tokenizer.json: the token '%s' has no id of zero or more".formatted(token));
    }
    if (id >= tokens.length) {
      tokens = Arrays.copyOf(tokens, Math.max(id + 1, tokens.length * 2));
    }
    tokens[id] = token;
    ids.put(token, id);
  }

  /** One more than the highest id. */
  int size() {
    return tokens.length;
  }

  /** The token as the file writes it, or null where no token has this id. */
  String tokenOrNull(int id) {
    return id >= 0 && id < tokens.length ? tokens[id] : null;
  }

  OptionalInt idOf(String token) {
    var id = ids.get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  boolean isSpecial(int id) {
    return id >= 0 && special.get(id);
  }

  /** The tokens that are found in text before any other rule, by their content. */
  Map<String, AddedToken> added() {
    return added;
  }

  /** {@code BPE}, {@code Unigram}, {@code WordPiece} or {@code WordLevel}; empty when not said. */
  String modelType() {
    return modelType;
  }

  /** The {@code decoder} value; may be null. */
  JsonNode decoder() {
    return decoder;
  }
}
