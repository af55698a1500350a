package dev.vllmmlx.gateway.openai;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads a request's body: strict JSON in UTF-8, one value, no key twice. */
public final class Body {
  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      // The body's own limit is the HTTP server's.
                      StreamReadConstraints.builder()
                          .maxStringLength(Integer.MAX_VALUE)
                          .maxNestingDepth(200)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private Body() {}

  /**
   * @throws ApiException with where and what is wrong
   */
  public static JsonNode parse(byte[] bytes) {
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException _) {
      throw new ApiException(ApiError.invalid(null, "the body is not UTF-8", "invalid_json"));
    }
    if (text.isBlank()) {
      throw new ApiException(
          ApiError.invalid(null, "the body is empty and must be a JSON object", "invalid_json"));
    }
    try {
      var body = MAPPER.readTree(text);
      // UTF-8 has no halves of characters, but JSON can write them down.
      if (text.contains("\\ud") || text.contains("\\uD")) {
        refuseHalves(body, "");
      }
      return body;
    } catch (JacksonException e) {
      var at = e.getLocation();
      throw new ApiException(
          ApiError.invalid(
              null,
              "the body is not valid JSON, at line %d, column %d: %s"
                  .formatted(
                      at == null ? 1 : at.getLineNr(),
                      at == null ? 1 : at.getColumnNr(),
                      firstLine(e.getOriginalMessage())),
              "invalid_json"));
    }
  }

  private static void refuseHalves(JsonNode node, String path) {
    if (node.isString() && hasHalf(node.stringValue())) {
      throw new ApiException(
          ApiError.invalid(
              path.isEmpty() ? null : path,
              (path.isEmpty() ? "the body" : path) + " holds half of a surrogate pair"));
    }
    for (var entry : node.properties()) {
      if (hasHalf(entry.getKey())) {
        throw new ApiException(
            ApiError.invalid(null, "a field's name holds half of a surrogate pair"));
      }
      refuseHalves(entry.getValue(), path.isEmpty() ? entry.getKey() : path + "." + entry.getKey());
    }
    for (var i = 0; node.isArray() && i < node.size(); i++) {
      refuseHalves(node.get(i), path + "[" + i + "]");
    }
  }

  private static boolean hasHalf(String text) {
    return text.codePoints()
        .anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
  }

  private static String firstLine(String message) {
    return message.lines().findFirst().orElse("");
  }
}
