package dev.vllmmlx.gateway.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/** What a client has when it has put the chunks of a stream together, of either API. */
final class StreamFold {
  private final Map<Integer, StringBuilder> texts = new TreeMap<>();
  private final Map<Integer, String> finishReasons = new TreeMap<>();
  private final Map<Integer, List<JsonNode>> logprobs = new TreeMap<>();

  private StreamFold() {}

  /** Checks on the way that a choice ends once and says nothing after its end. */
  static StreamFold of(List<JsonNode> chunks) {
    var fold = new StreamFold();
    for (var chunk : chunks) {
      for (var choice : chunk.get("choices")) {
        fold.add(choice);
      }
    }
    return fold;
  }

  private void add(JsonNode choice) {
    var index = choice.get("index").intValue();
    if (finishReasons.containsKey(index)) {
      throw new AssertionError("choice " + index + " goes on after its end: " + choice);
    }
    var chat = choice.get("delta");
    var text = chat != null ? chat.path("content").asString("") : choice.get("text").stringValue();
    texts.computeIfAbsent(index, _ -> new StringBuilder()).append(text);
    if (choice.hasNonNull("logprobs")) {
      logprobs.computeIfAbsent(index, _ -> new ArrayList<>()).add(choice.get("logprobs"));
    }
    if (choice.hasNonNull("finish_reason")) {
      finishReasons.put(index, choice.get("finish_reason").stringValue());
    }
  }

  int choices() {
    return texts.size();
  }

  String text(int choice) {
    return texts.get(choice).toString();
  }

  List<String> finishReasons() {
    return List.copyOf(finishReasons.values());
  }

  /** The entries of a list in the log probabilities: {@code content}, {@code tokens}. */
  List<JsonNode> logprobs(int choice, String list) {
    return logprobs.getOrDefault(choice, List.of()).stream()
        .flatMap(it -> it.get(list).valueStream())
        .toList();
  }
}
