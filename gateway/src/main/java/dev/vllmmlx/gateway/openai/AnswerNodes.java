package dev.vllmmlx.gateway.openai;

import static dev.vllmmlx.gateway.openai.ReplyNodes.JSON;

import dev.vllmmlx.text.parts.Part;
import java.util.List;
import java.util.UUID;
import tools.jackson.databind.node.ObjectNode;

/**
 * The parts of an answer as OpenAI's API has them. What was thought stands under both names that
 * clients know.
 */
final class AnswerNodes {
  private AnswerNodes() {}

  /** What a chunk adds to the message. */
  static ObjectNode delta(List<Part> parts) {
    var node = JSON.objectNode();
    for (var part : parts) {
      switch (part) {
        case Part.Content(var text) -> append(node, "content", text);
        case Part.Reasoning(var text) -> {
          append(node, "reasoning_content", text);
          append(node, "reasoning", text);
        }
        case Part.ToolCallStart(var index, var name, var id) -> {
          var call = node.withArray("tool_calls").addObject();
          call.put("index", index);
          call.put("id", id.orElseGet(AnswerNodes::newId));
          call.put("type", "function");
          call.putObject("function").put("name", name).put("arguments", "");
        }
        case Part.ToolCallArguments(var index, var text) ->
            append((ObjectNode) call(node, index).get("function"), "arguments", text);
        case Part.ToolCallEnd _ -> {}
      }
    }
    if (node.isEmpty()) {
      node.put("content", "");
    }
    return node;
  }

  /** A whole message. */
  static ObjectNode message(List<Part> parts) {
    var delta = delta(parts);
    var message = JSON.objectNode();
    message.put("role", "assistant");
    if (delta.has("content") || !delta.has("tool_calls")) {
      message.put("content", delta.path("content").asString(""));
    } else {
      message.putNull("content");
    }
    message.putNull("refusal");
    for (var name : List.of("reasoning_content", "reasoning")) {
      if (delta.has(name)) {
        message.set(name, delta.get(name));
      }
    }
    if (delta.has("tool_calls")) {
      for (var call : delta.get("tool_calls")) {
        ((ObjectNode) call).remove("index");
      }
      message.set("tool_calls", delta.get("tool_calls"));
    }
    return message;
  }

  private static String newId() {
    return "call_" + UUID.randomUUID().toString().replace("-", "").substring(0, 24);
  }

  private static ObjectNode call(ObjectNode delta, int index) {
    var calls = delta.withArray("tool_calls");
    for (var call : calls) {
      if (call.get("index").intValue() == index) {
        return (ObjectNode) call;
      }
    }
    var call = calls.addObject();
    call.put("index", index);
    call.putObject("function");
    return call;
  }

  private static void append(ObjectNode node, String name, String text) {
    node.put(name, node.path(name).asString("") + text);
  }
}
