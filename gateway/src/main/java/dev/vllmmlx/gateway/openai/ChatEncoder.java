package dev.vllmmlx.gateway.openai;

import static dev.vllmmlx.gateway.openai.ReplyNodes.JSON;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ChoiceState;
import dev.vllmmlx.gateway.pipeline.ReplyEncoder;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.TokenLogprob;
import java.util.List;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Writes chat completions and their chunks. */
final class ChatEncoder implements ReplyEncoder {
  private final Dialect.ReplyHead head;
  private final OptionalInt topLogprobs;
  private final boolean includeUsage;

  ChatEncoder(Dialect.ReplyHead head, OptionalInt topLogprobs, boolean includeUsage) {
    this.head = head;
    this.topLogprobs = topLogprobs;
    this.includeUsage = includeUsage;
  }

  @Override
  public List<JsonNode> opening(ChoiceState choice) {
    var delta = JSON.objectNode();
    delta.put("role", "assistant");
    delta.put("content", "");
    return List.of(chunk(choice, delta, null));
  }

  @Override
  public JsonNode delta(ChoiceState choice, ChoiceState.Piece piece) {
    var delta = AnswerNodes.delta(piece.parts());
    var chunk = chunk(choice, delta, null);
    if (!piece.toolEvents().isEmpty()) {
      chunk.putArray("mcp_events").addAll(piece.toolEvents());
    }
    if (topLogprobs.isPresent()) {
      ((ObjectNode) chunk.get("choices").get(0)).set("logprobs", logprobs(piece.logprobs()));
    }
    return chunk;
  }

  @Override
  public JsonNode finish(ChoiceState choice) {
    var chunk = chunk(choice, JSON.objectNode(), finishReason(choice));
    ReplyNodes.warnings((ObjectNode) chunk.get("choices").get(0), choice);
    return chunk;
  }

  @Override
  public JsonNode usage(Totals totals) {
    var chunk = ReplyNodes.head(head, "chat.completion.chunk");
    chunk.putArray("choices");
    chunk.set("usage", ReplyNodes.usage(totals));
    return chunk;
  }

  @Override
  public JsonNode body(List<ChoiceState> choices, List<ChoiceState.Piece> pieces, Totals totals) {
    var body = ReplyNodes.head(head, "chat.completion");
    var list = body.putArray("choices");
    for (var i = 0; i < choices.size(); i++) {
      var choice = list.addObject();
      choice.put("index", choices.get(i).index());
      choice.set("message", AnswerNodes.message(pieces.get(i).parts()));
      if (topLogprobs.isPresent()) {
        choice.set("logprobs", logprobs(pieces.get(i).logprobs()));
      } else {
        choice.putNull("logprobs");
      }
      choice.put("finish_reason", finishReason(choices.get(i)));
      ReplyNodes.warnings(choice, choices.get(i));
    }
    body.set("usage", ReplyNodes.usage(totals));
    var events = pieces.stream().flatMap(piece -> piece.toolEvents().stream()).toList();
    if (!events.isEmpty()) {
      body.putArray("mcp_events").addAll(events);
    }
    return body;
  }

  @Override
  public JsonNode error(ApiError error) {
    return ReplyNodes.error(error);
  }

  private static String finishReason(ChoiceState choice) {
    var reason = choice.finishReason().orElseThrow();
    return reason == FinishReason.STOP && choice.called()
        ? "tool_calls"
        : ReplyNodes.finishReason(reason);
  }

  private ObjectNode chunk(ChoiceState of, ObjectNode delta, String finishReason) {
    var chunk = ReplyNodes.head(head, "chat.completion.chunk");
    var choice = chunk.putArray("choices").addObject();
    choice.put("index", of.index());
    choice.set("delta", delta);
    choice.putNull("logprobs");
    choice.put("finish_reason", finishReason);
    if (includeUsage) {
      chunk.putNull("usage");
    }
    return chunk;
  }

  private static ObjectNode logprobs(List<TokenLogprob> tokens) {
    var logprobs = JSON.objectNode();
    var content = logprobs.putArray("content");
    for (var token : tokens) {
      var entry = content.addObject();
      describe(entry, token.token());
      var top = entry.putArray("top_logprobs");
      token.top().forEach(candidate -> describe(top.addObject(), candidate));
    }
    logprobs.putNull("refusal");
    return logprobs;
  }

  private static void describe(ObjectNode entry, TokenLogprob.Candidate candidate) {
    entry.put("token", ReplyNodes.text(candidate));
    entry.put("logprob", ReplyNodes.logprob(candidate));
    var bytes = entry.putArray("bytes");
    for (var b : candidate.bytes()) {
      bytes.add(b & 0xff);
    }
  }
}
