package dev.vllmmlx.gateway.openai;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ChoiceState;
import dev.vllmmlx.gateway.pipeline.ReplyEncoder.Totals;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.TokenLogprob;
import java.nio.charset.StandardCharsets;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** JSON that both dialects write. */
public final class ReplyNodes {
  static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  // JSON has no infinity; OpenAI's own stand-in for a token that was excluded.
  private static final float LEAST_LOGPROB = -9999f;

  private ReplyNodes() {}

  /** OpenAI's body of an error. */
  public static JsonNode error(ApiError error) {
    var body = JSON.objectNode();
    var inner = body.putObject("error");
    inner.put("message", error.message());
    inner.put("type", error.type());
    inner.put("param", error.field().orElse(null));
    inner.put("code", error.code().orElse(null));
    return body;
  }

  static ObjectNode head(Dialect.ReplyHead head, String object) {
    var node = JSON.objectNode();
    node.put("id", head.id());
    node.put("object", object);
    node.put("created", head.created());
    node.put("model", head.model());
    return node;
  }

  static ObjectNode usage(Totals totals) {
    var usage = JSON.objectNode();
    usage.put("prompt_tokens", totals.promptTokens());
    usage.put("completion_tokens", totals.completionTokens());
    usage.put("total_tokens", totals.promptTokens() + totals.completionTokens());
    usage.putObject("prompt_tokens_details").put("cached_tokens", totals.cachedTokens());
    return usage;
  }

  /** Beside {@code finish_reason}, where there are any. */
  static void warnings(ObjectNode choice, ChoiceState of) {
    for (var warning : of.warnings()) {
      var node = choice.withArray("warnings").addObject();
      node.put("code", "schema_mismatch");
      node.put("param", warning.field());
      node.put("in", warning.place());
      node.put("path", warning.misfit().path());
      node.put("keyword", warning.misfit().keyword());
      node.put("message", warning.misfit().message());
    }
  }

  static String finishReason(FinishReason reason) {
    return switch (reason) {
      case STOP -> "stop";
      case LENGTH -> "length";
      // OpenAI's own API cancels nothing, so has no word for it; this is vLLM's.
      case CANCELLED -> "abort";
    };
  }

  /**
   * The token's bytes as text; bytes that are no whole characters become replacement characters.
   */
  static String text(TokenLogprob.Candidate candidate) {
    return new String(candidate.bytes(), StandardCharsets.UTF_8);
  }

  static float logprob(TokenLogprob.Candidate candidate) {
    return Math.max(LEAST_LOGPROB, candidate.logprob());
  }
}
