package dev.vllmmlx.gateway.openai;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import dev.vllmmlx.spi.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** Reads {@code messages}. */
final class ChatMessages {
  private static final Set<String> ROLES =
      Set.of("system", "developer", "user", "assistant", "tool");

  private ChatMessages() {}

  static List<Message> read(Fields body) {
    var list = body.list("messages").orElseThrow(() -> body.missing("messages"));
    if (list.isEmpty()) {
      throw body.invalid("messages", "is empty and must hold at least one message");
    }
    var messages = new ArrayList<Message>();
    for (var item : list) {
      messages.add(message(body.inside("messages[" + messages.size() + "]", item)));
    }
    return messages;
  }

  private static Message message(Fields fields) {
    var role = fields.requiredText("role");
    if (!ROLES.contains(role)) {
      throw fields.invalid(
          "role",
          "is \"%s\", and must be system, developer, user, assistant or tool".formatted(role));
    }
    var content = fields.node("content").map(node -> content(fields, node));
    var calls = toolCalls(fields);
    if (content.isEmpty() && calls.isEmpty() && !role.equals("assistant")) {
      throw fields.missing("content");
    }
    var reasoning =
        fields
            .text("reasoning_content")
            .or(() -> fields.text("reasoning"))
            .filter(s -> !s.isEmpty());
    var message =
        new Message(
            role, content, reasoning, calls, fields.text("tool_call_id"), fields.text("name"));
    fields.accept("reasoning");
    fields.refuse("function_call", "audio", "annotations");
    fields.refuseUnless("refusal", "", value -> false);
    return message;
  }

  private static Message.Content content(Fields message, JsonNode node) {
    if (node.isString()) {
      return new Message.Content.Plain(node.stringValue());
    }
    if (!node.isArray()) {
      throw message.wrongType("content", "a string or a list of parts", node);
    }
    var parts = new ArrayList<Message.Part>();
    for (var item : node) {
      var part = message.inside("content[" + parts.size() + "]", item);
      var type = part.requiredText("type");
      if (!type.equals("text")) {
        throw new ApiException(
            ApiError.unsupported(
                part.path("type"),
                "%s is \"%s\", and this server takes text alone"
                    .formatted(part.path("type"), type)));
      }
      parts.add(new Message.Part.Text(part.requiredText("text")));
      part.accept("cache_control");
    }
    return new Message.Content.Parts(parts);
  }

  private static List<Message.ToolCall> toolCalls(Fields message) {
    var list = message.list("tool_calls");
    if (list.isEmpty()) {
      return List.of();
    }
    var calls = new ArrayList<Message.ToolCall>();
    for (var item : list.get()) {
      var call = message.inside("tool_calls[" + calls.size() + "]", item);
      call.refuseUnless(
          "type", " unless function", v -> v.isString() && v.stringValue().equals("function"));
      var function = call.object("function").orElseThrow(() -> call.missing("function"));
      var arguments = function.node("arguments").orElseThrow(() -> function.missing("arguments"));
      if (!arguments.isString() && !arguments.isObject()) {
        throw function.wrongType("arguments", "a string of JSON", arguments);
      }
      calls.add(
          new Message.ToolCall(
              call.text("id").orElse(""),
              function.requiredText("name"),
              arguments.isString() ? arguments.stringValue() : arguments.toString()));
      call.accept("index");
    }
    return calls;
  }
}
