package dev.vllmmlx.text.chat;

import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Message.Content;
import dev.vllmmlx.spi.Message.Part;
import dev.vllmmlx.spi.Message.ToolCall;
import dev.vllmmlx.spi.Tool;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** Messages and tools as the dictionaries that templates read. */
final class ChatVariables {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final TypeReference<LinkedHashMap<String, Object>> OBJECT =
      new TypeReference<>() {};

  private final MessageShape shape;

  ChatVariables(MessageShape shape) {
    this.shape = shape;
  }

  /** A tool as OpenAI's API has it; what the client left out is absent. */
  static Map<String, Object> tool(Tool tool) {
    var function = new LinkedHashMap<String, Object>();
    function.put("name", tool.name());
    tool.description().ifPresent(text -> function.put("description", text));
    tool.parameters().ifPresent(schema -> function.put("parameters", schema));
    var variables = new LinkedHashMap<String, Object>();
    variables.put("type", "function");
    variables.put("function", function);
    return variables;
  }

  List<Object> messages(List<Message> messages) {
    var variables = new ArrayList<Object>();
    for (int i = 0; i < messages.size(); i++) {
      variables.add(message(messages.get(i), "messages[" + i + "]"));
    }
    return variables;
  }

  private Map<String, Object> message(Message message, String field) {
    var variables = new LinkedHashMap<String, Object>();
    boolean system = shape.developerIsSystem() && message.role().equals("developer");
    variables.put("role", system ? "system" : message.role());
    if (message.content().isPresent() && !standsForNone(message)) {
      variables.put("content", content(message.content().get()));
    } else {
      switch (shape.noContent()) {
        case ABSENT -> {}
        case NULL -> variables.put("content", null);
        case EMPTY_TEXT -> variables.put("content", content(new Content.Plain("")));
      }
    }
    message.reasoning().ifPresent(text -> reasoning(variables, text));
    if (!message.toolCalls().isEmpty()) {
      var calls = new ArrayList<Object>();
      for (int i = 0; i < message.toolCalls().size(); i++) {
        calls.add(call(message.toolCalls().get(i), field + ".tool_calls[" + i + "]"));
      }
      variables.put("tool_calls", calls);
    }
    message.toolCallId().ifPresent(id -> variables.put("tool_call_id", CallId.of(id, shape)));
    message.name().ifPresent(name -> variables.put("name", name));
    return variables;
  }

  /** Clients send no text beside calls as an empty one too; some templates then drop the calls. */
  private boolean standsForNone(Message message) {
    return shape.noContent() == MessageShape.NoContent.NULL
        && !message.toolCalls().isEmpty()
        && message.content().equals(Optional.of(new Content.Plain("")));
  }

  /** Under both names that templates know it by, as transformers gives it. */
  private static void reasoning(Map<String, Object> variables, String text) {
    variables.put("thinking", text);
    variables.put("reasoning_content", text);
  }

  private Object content(Content content) {
    return switch (content) {
      case Content.Plain(var text) when shape.takesText() -> text;
      case Content.Plain(var text) -> List.of(part(text));
      case Content.Parts(var parts) when shape.takesParts() ->
          parts.stream().map(ChatVariables::text).map(ChatVariables::part).toList();
      case Content.Parts(var parts) ->
          String.join("\n", parts.stream().map(ChatVariables::text).toList());
    };
  }

  private static String text(Part part) {
    return switch (part) {
      case Part.Text(var text) -> text;
    };
  }

  private static Map<String, Object> part(String text) {
    var part = new LinkedHashMap<String, Object>();
    part.put("type", "text");
    part.put("text", text);
    return part;
  }

  private Map<String, Object> call(ToolCall call, String field) {
    var function = new LinkedHashMap<String, Object>();
    function.put("name", call.function());
    function.put(
        "arguments",
        shape.objectArguments()
            ? arguments(call.arguments(), field + ".function.arguments")
            : call.arguments());
    var variables = new LinkedHashMap<String, Object>();
    if (!call.id().isEmpty()) {
      variables.put("id", CallId.of(call.id(), shape));
    }
    variables.put("type", "function");
    variables.put("function", function);
    return variables;
  }

  /** Clients send no text at all for a function without parameters. */
  private static Map<String, Object> arguments(String json, String field) {
    if (json.isBlank()) {
      return Map.of();
    }
    try {
      return JSON.readValue(json, OBJECT);
    } catch (JacksonException e) {
      throw new EngineException.InvalidRequest(
          field, field + " is not the text of a JSON object: " + e.getOriginalMessage());
    }
  }
}
