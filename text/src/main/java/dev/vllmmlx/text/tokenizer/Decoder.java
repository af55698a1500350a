package dev.vllmmlx.text.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/**
 * The way from tokens to text: the steps that tokenizer.json's {@code decoder} lists. One
 * implementation serves whole texts and streams, so that they cannot differ.
 *
 * @param cleanUp whether the whole text has its spaces cleaned up at the end
 */
record Decoder(List<DecoderStep> steps, boolean cleanUp) {

  /**
   * @param json the {@code decoder} value, null or a JSON null where there is none
   * @throws TokenizerException for a decoder that is not known here
   */
  static Decoder of(JsonNode json, boolean cleanUp) {
    var steps = new ArrayList<DecoderStep>();
    if (json == null || json.isNull()) {
      steps.add(new DecoderStep.Join());
    } else {
      addTo(steps, json);
    }
    return new Decoder(List.copyOf(steps), cleanUp);
  }

  private static void addTo(List<DecoderStep> steps, JsonNode json) {
    var type = json.path("type").asString("");
    if (type.equals("Sequence")) {
      json.path("decoders").forEach(each -> addTo(steps, each));
      return;
    }
    var fused =
        steps.stream()
            .anyMatch(s -> s instanceof DecoderStep.Fuse || s instanceof DecoderStep.ByteLevel);
    if (fused && !type.equals("Strip") && !type.equals("Fuse")) {
      throw new TokenizerException(
          "tokenizer.json: a decoder '%s' behind a fusing one is not supported".formatted(type));
    }
    steps.add(
        switch (type) {
          case "ByteLevel" -> new DecoderStep.ByteLevel();
          case "ByteFallback" -> new DecoderStep.ByteFallback();
          case "Fuse" -> new DecoderStep.Fuse();
          case "Replace" ->
              new DecoderStep.Replace(
                  pattern(json.path("pattern")), json.path("content").asString(""));
          case "Metaspace" -> metaspace(json);
          case "WordPiece" ->
              new DecoderStep.WordPiece(
                  json.path("prefix").asString("##"), json.path("cleanup").asBoolean(true));
          case "BPEDecoder" -> new DecoderStep.WordSuffix(json.path("suffix").asString("</w>"));
          case "Strip" -> strip(json, fused);
          default ->
              throw new TokenizerException(
                  "tokenizer.json: the decoder '%s' is not supported".formatted(type));
        });
  }

  private static Pattern pattern(JsonNode json) {
    return json.has("String")
        ? Pattern.compile(Pattern.quote(json.path("String").asString()))
        : Pattern.compile(json.path("Regex").asString());
  }

  private static DecoderStep metaspace(JsonNode json) {
    var prepended =
        json.has("prepend_scheme")
            ? !json.path("prepend_scheme").asString().equals("never")
            : json.path("add_prefix_space").asBoolean(true);
    return new DecoderStep.Metaspace(json.path("replacement").asString("\u2581"), prepended);
  }

  private static DecoderStep strip(JsonNode json, boolean fused) {
    var content = json.path("content").asString(" ").charAt(0);
    var start = json.path("start").asInt(0);
    var stop = json.path("stop").asInt(0);
    return fused
        ? new DecoderStep.StripText(content, start, stop)
        : new DecoderStep.Strip(content, start, stop);
  }

  /** A fresh stream of tokens whose text goes to {@code out} as soon as it is certain. */
  DecoderStep.Pieces into(StringBuilder out) {
    DecoderStep.Pieces pieces =
        new DecoderStep.Pieces() {
          @Override
          public void take(String piece) {
            out.append(piece);
          }

          @Override
          public void end() {}
        };
    if (cleanUp) {
      pieces = SpaceCleanup.WHOLE_TEXT.into(pieces);
    }
    for (var step : steps.reversed()) {
      pieces = step.into(pieces);
    }
    return pieces;
  }

  /** The bytes {@code token} stands for in the middle of a text. */
  byte[] bytes(String token) {
    for (var step : steps) {
      var bytes = step.bytes(token);
      if (bytes.isPresent()) {
        return bytes.get();
      }
      token = step.inner(token);
    }
    return token.getBytes(StandardCharsets.UTF_8);
  }
}
