package dev.vllmmlx.gateway.openai;

import static dev.vllmmlx.gateway.openai.ReplyNodes.JSON;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ChoiceState;
import dev.vllmmlx.gateway.pipeline.ReplyEncoder;
import dev.vllmmlx.spi.TokenLogprob;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Writes completions and their chunks. */
final class CompletionsEncoder implements ReplyEncoder {
  private static final String OBJECT = "text_completion";

  private final Dialect.ReplyHead head;
  private final List<String> echoes;
  private final OptionalInt topLogprobs;
  private final boolean includeUsage;

  // By choice: how many characters its tokens had before, for text_offset.
  private final Map<Integer, Integer> offsets = new HashMap<>();

  /**
   * @param echoes the text of each prompt where it is to be repeated, else empty
   */
  CompletionsEncoder(
      Dialect.ReplyHead head, List<String> echoes, OptionalInt topLogprobs, boolean includeUsage) {
    this.head = head;
    this.echoes = echoes;
    this.topLogprobs = topLogprobs;
    this.includeUsage = includeUsage;
  }

  @Override
  public List<JsonNode> opening(ChoiceState choice) {
    var echo = echo(choice);
    return echo.isEmpty() ? List.of() : List.of(chunk(choice, echo, null));
  }

  @Override
  public JsonNode delta(ChoiceState choice, ChoiceState.Piece piece) {
    var chunk = chunk(choice, piece.text(), null);
    if (topLogprobs.isPresent()) {
      ((ObjectNode) chunk.get("choices").get(0)).set("logprobs", logprobs(choice, piece));
    }
    return chunk;
  }

  @Override
  public JsonNode finish(ChoiceState choice) {
    var chunk = chunk(choice, "", ReplyNodes.finishReason(choice.finishReason().orElseThrow()));
    ReplyNodes.warnings((ObjectNode) chunk.get("choices").get(0), choice);
    return chunk;
  }

  @Override
  public JsonNode usage(Totals totals) {
    var chunk = ReplyNodes.head(head, OBJECT);
    chunk.putArray("choices");
    chunk.set("usage", ReplyNodes.usage(totals));
    return chunk;
  }

  @Override
  public JsonNode body(List<ChoiceState> choices, List<ChoiceState.Piece> pieces, Totals totals) {
    var body = ReplyNodes.head(head, OBJECT);
    var list = body.putArray("choices");
    for (var i = 0; i < choices.size(); i++) {
      var state = choices.get(i);
      var choice = list.addObject();
      choice.put("index", state.index());
      choice.put("text", echo(state) + pieces.get(i).text());
      if (topLogprobs.isPresent()) {
        choice.set("logprobs", logprobs(state, pieces.get(i)));
      } else {
        choice.putNull("logprobs");
      }
      choice.put("finish_reason", ReplyNodes.finishReason(state.finishReason().orElseThrow()));
      ReplyNodes.warnings(choice, state);
    }
    body.set("usage", ReplyNodes.usage(totals));
    return body;
  }

  @Override
  public JsonNode error(ApiError error) {
    return ReplyNodes.error(error);
  }

  private String echo(ChoiceState choice) {
    return echoes.isEmpty() ? "" : echoes.get(choice.promptIndex());
  }

  private ObjectNode chunk(ChoiceState of, String text, String finishReason) {
    var chunk = ReplyNodes.head(head, OBJECT);
    var choice = chunk.putArray("choices").addObject();
    choice.put("index", of.index());
    choice.put("text", text);
    choice.putNull("logprobs");
    choice.put("finish_reason", finishReason);
    if (includeUsage) {
      chunk.putNull("usage");
    }
    return chunk;
  }

  private ObjectNode logprobs(ChoiceState choice, ChoiceState.Piece piece) {
    var logprobs = JSON.objectNode();
    var tokens = logprobs.putArray("tokens");
    var values = logprobs.putArray("token_logprobs");
    var tops = logprobs.putArray("top_logprobs");
    var textOffsets = logprobs.putArray("text_offset");
    var offset = offsets.getOrDefault(choice.index(), 0);
    for (TokenLogprob token : piece.logprobs()) {
      var text = ReplyNodes.text(token.token());
      tokens.add(text);
      values.add(ReplyNodes.logprob(token.token()));
      var top = tops.addObject();
      token.top().forEach(c -> top.put(ReplyNodes.text(c), ReplyNodes.logprob(c)));
      textOffsets.add(offset);
      offset += text.length();
    }
    offsets.put(choice.index(), offset);
    return logprobs;
  }
}
