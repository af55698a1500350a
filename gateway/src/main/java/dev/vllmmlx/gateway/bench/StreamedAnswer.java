package dev.vllmmlx.gateway.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads what an answer in server-sent events came to. */
final class StreamedAnswer {
  private static final double NANOS = 1e9;

  private StreamedAnswer() {}

  /**
   * @param start when it was asked for, by {@link System#nanoTime}
   * @throws tools.jackson.core.JacksonException if an event is not JSON
   */
  static RequestOutcome of(TimedBody body, long start) {
    var gaps = new ArrayList<Double>();
    var first = 0L;
    var last = 0L;
    var pieces = 0;
    Optional<JsonNode> usage = Optional.empty();
    for (var line : body.lines()) {
      if (!line.text().startsWith("data:")) {
        continue;
      }
      var data = line.text().substring(5).strip();
      if (data.equals("[DONE]")) {
        return pieces == 0
            ? new RequestOutcome.Failed("no text")
            : answered(first - start, gaps, line.nanos() - start, usage, pieces);
      }
      var chunk = JsonMapper.shared().readTree(data);
      if (chunk.has("error")) {
        return new RequestOutcome.Failed("error in the stream");
      }
      if (chunk.path("usage").isObject()) {
        usage = Optional.of(chunk.get("usage"));
      }
      if (hasText(chunk)) {
        if (pieces++ == 0) {
          first = line.nanos();
        } else {
          gaps.add((line.nanos() - last) / NANOS);
        }
        last = line.nanos();
      }
    }
    return new RequestOutcome.Failed("stream cut off");
  }

  private static RequestOutcome answered(
      long first, List<Double> gaps, long total, Optional<JsonNode> usage, int pieces) {
    var tokens = usage.map(u -> u.path("completion_tokens").asInt(0)).orElse(0);
    return new RequestOutcome.Answered(
        first / NANOS,
        gaps,
        total / NANOS,
        usage.map(u -> u.path("prompt_tokens").asInt(0)).orElse(0),
        usage.map(u -> u.at("/prompt_tokens_details/cached_tokens").asInt(0)).orElse(0),
        tokens > 0 ? tokens : pieces,
        tokens > 0);
  }

  private static boolean hasText(JsonNode chunk) {
    var choice = chunk.path("choices").path(0);
    var delta = choice.path("delta");
    return !delta.path("content").asString("").isEmpty()
        || !delta.path("reasoning_content").asString("").isEmpty()
        || !choice.path("text").asString("").isEmpty();
  }
}
