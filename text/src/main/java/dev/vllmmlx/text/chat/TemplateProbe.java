package dev.vllmmlx.text.chat;

import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Message.Content;
import dev.vllmmlx.spi.Message.ToolCall;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.chat.MessageShape.NoContent;
import dev.vllmmlx.text.jinja.TemplateException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finds out what a template takes and can do by rendering small conversations with marked words and
 * looking for these in what comes out. Done once for each template, when a model is loaded.
 */
final class TemplateProbe {
  private static final String TEXT = "Probe-text";
  private static final String KEY = "probe_key";
  private static final String VALUE = "probe_value";
  private static final String FUNCTION = "probe_function";

  /** Nine letters and digits: what the strictest templates ask of an id. */
  private static final String SHORT_ID = "probe0001";

  private static final String USUAL_ID = "call_0123456789abcdef01234567";
  private static final Tool TOOL =
      new Tool(
          FUNCTION,
          Optional.of("Probes."),
          Optional.of(
              Map.of(
                  "type", "object",
                  "properties", Map.of(KEY, Map.of("type", "string", "description", "A key.")),
                  "required", List.of(KEY))),
          false);

  private final ChatTemplate template;
  private final Map<String, Object> tokens;

  /** {@code tokens}: the special tokens that the template sees. */
  TemplateProbe(ChatTemplate template, Map<String, Object> tokens) {
    this.template = template;
    this.tokens = tokens;
  }

  MessageShape shape() {
    var shape = calls(content(MessageShape.USUAL));
    return shape.withDeveloperAsSystem(losesDeveloper(shape));
  }

  /** Whether tools show in the prompt. */
  boolean showsTools(MessageShape shape) {
    return render(shape, List.of(Message.of("user", TEXT)), List.of(TOOL), Map.of())
        .contains(FUNCTION);
  }

  /** Whether calls show in the prompt. */
  boolean printsCalls(MessageShape shape) {
    return printsCall(render(shape, callAndResult(SHORT_ID, Optional.empty())));
  }

  /** Whether one of the usual switches of thinking changes the prompt. */
  boolean hasThinkingSwitch(MessageShape shape) {
    var chat = List.of(Message.of("user", TEXT));
    return differs(shape, chat, "enable_thinking", true, false)
        || differs(shape, chat, "thinking", true, false)
        || differs(shape, chat, "reasoning_effort", "low", "high");
  }

  private boolean differs(
      MessageShape shape, List<Message> chat, String variable, Object one, Object other) {
    return !render(shape, chat, List.of(), Map.of(variable, one))
        .equals(render(shape, chat, List.of(), Map.of(variable, other)));
  }

  private MessageShape content(MessageShape shape) {
    var text = List.of(Message.of("user", TEXT));
    var parts = List.of(message("user", new Content.Parts(List.of(new Message.Part.Text(TEXT)))));
    boolean takesText = shows(render(shape.withContent(true, false), text));
    var asParts = render(shape.withContent(false, true), parts);
    // A template that knows no parts prints the list as such.
    boolean takesParts =
        shows(asParts) && !asParts.contains("'type'") && !asParts.contains("\"type\"");
    return shape.withContent(takesText || !takesParts, takesParts);
  }

  private static boolean shows(String rendered) {
    return rendered.contains(TEXT);
  }

  /** The first way to give a call without content in which the template prints all of it. */
  private MessageShape calls(MessageShape shape) {
    var chat = callAndResult(SHORT_ID, Optional.empty());
    for (var how : NoContent.values()) {
      for (boolean asObject : List.of(true, false)) {
        var tried = shape.withNoContent(how).withArguments(asObject);
        if (printsCall(render(tried, chat))) {
          var usual = callAndResult(USUAL_ID, Optional.empty());
          return tried.withShortIds(!printsCall(render(tried, usual)));
        }
      }
    }
    return shape;
  }

  /** Printed as Python prints values, a call is one that the model never learned. */
  private static boolean printsCall(String rendered) {
    return rendered.contains(FUNCTION)
        && rendered.contains(KEY)
        && rendered.contains(VALUE)
        && !rendered.contains("{'" + KEY + "': '" + VALUE + "'}")
        && !rendered.contains("None");
  }

  private boolean losesDeveloper(MessageShape shape) {
    return !shows(render(shape, systemAndUser("developer")))
        && shows(render(shape, systemAndUser("system")));
  }

  private static List<Message> systemAndUser(String role) {
    return List.of(Message.of(role, TEXT), Message.of("user", "Question"));
  }

  private static List<Message> callAndResult(String id, Optional<Content> content) {
    var arguments = "{\"" + KEY + "\": \"" + VALUE + "\"}";
    var call = new ToolCall(id, FUNCTION, arguments);
    return List.of(
        Message.of("user", "Question"),
        new Message(
            "assistant",
            content,
            Optional.empty(),
            List.of(call),
            Optional.empty(),
            Optional.empty()),
        new Message(
            "tool",
            Optional.of(new Content.Plain("Result")),
            Optional.empty(),
            List.of(),
            Optional.of(call.id()),
            Optional.of(FUNCTION)));
  }

  private static Message message(String role, Content content) {
    return new Message(
        role,
        Optional.of(content),
        Optional.empty(),
        List.of(),
        Optional.empty(),
        Optional.empty());
  }

  private String render(MessageShape shape, List<Message> messages) {
    return render(shape, messages, List.of(), Map.of());
  }

  /** Empty where the template fails. */
  private String render(
      MessageShape shape, List<Message> messages, List<Tool> tools, Map<String, Object> more) {
    var context = new LinkedHashMap<String, Object>(tokens);
    context.put("messages", new ChatVariables(shape).messages(messages));
    context.put(
        "tools",
        tools.isEmpty() ? null : new ArrayList<>(tools.stream().map(ChatVariables::tool).toList()));
    context.put("documents", null);
    context.put("add_generation_prompt", true);
    context.putAll(more);
    try {
      return template.render(context);
    } catch (TemplateException e) {
      return "";
    }
  }
}
