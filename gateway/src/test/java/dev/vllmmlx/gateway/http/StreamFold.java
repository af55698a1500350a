package dev.vllmmlx.gateway.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/** What a client has when it has put the chunks of a stream together, of either API. */
final class StreamFold {
  private final Map<Integer, StringBuilder> texts = new TreeMap<>();
  private final Map<Integer, StringBuilder> reasonings = new TreeMap<>();
  private final Map<Integer, List<Call>> calls = new TreeMap<>();
  private final Map<Integer, JsonNode> ends = new TreeMap<>();
  private final Map<Integer, List<JsonNode>> logprobs = new TreeMap<>();

  /**
   * A call with its arguments' text.
   *
   * @param arguments grows with the stream
   */
  record Call(String name, StringBuilder arguments) {}

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
    if (ends.containsKey(index)) {
      throw new AssertionError("choice " + index + " goes on after its end: " + choice);
    }
    var chat = choice.get("delta");
    var text = chat != null ? chat.path("content").asString("") : choice.get("text").stringValue();
    texts.computeIfAbsent(index, _ -> new StringBuilder()).append(text);
    if (chat != null) {
      reasonings
          .computeIfAbsent(index, _ -> new StringBuilder())
          .append(chat.path("reasoning_content").asString(""));
      chat.path("tool_calls").forEach(piece -> addCall(index, piece));
    }
    if (choice.hasNonNull("logprobs")) {
      logprobs.computeIfAbsent(index, _ -> new ArrayList<>()).add(choice.get("logprobs"));
    }
    if (choice.hasNonNull("finish_reason")) {
      ends.put(index, choice);
    }
  }

  /** A call's first piece has its id and its name, and no other has. */
  private void addCall(int choice, JsonNode piece) {
    var all = calls.computeIfAbsent(choice, _ -> new ArrayList<>());
    var function = piece.get("function");
    var isNew = piece.get("index").intValue() == all.size();
    if (piece.has("id") != isNew) {
      throw new AssertionError("a call that begins twice or not at all: " + piece);
    }
    if (isNew) {
      all.add(new Call(function.get("name").stringValue(), new StringBuilder()));
    }
    all.get(piece.get("index").intValue())
        .arguments()
        .append(function.path("arguments").asString(""));
  }

  int choices() {
    return texts.size();
  }

  String text(int choice) {
    return texts.get(choice).toString();
  }

  String reasoning(int choice) {
    return reasonings.get(choice).toString();
  }

  List<Call> calls(int choice) {
    return calls.getOrDefault(choice, List.of());
  }

  /** What a choice's last chunk says of it. */
  JsonNode end(int choice) {
    return ends.get(choice);
  }

  List<String> finishReasons() {
    return ends.values().stream().map(end -> end.get("finish_reason").stringValue()).toList();
  }

  /** The entries of a list in the log probabilities: {@code content}, {@code tokens}. */
  List<JsonNode> logprobs(int choice, String list) {
    return logprobs.getOrDefault(choice, List.of()).stream()
        .flatMap(it -> it.get(list).valueStream())
        .toList();
  }
}
