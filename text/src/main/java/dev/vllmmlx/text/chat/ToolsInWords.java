package dev.vllmmlx.text.chat;

import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Message.Content;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.tools.ToolCallFormat;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;

/**
 * Says in plain messages what a template has no place for: which tools there are and how to call
 * them, in the system message; a call as the text that the model wrote; a result as a message of
 * the user, as it is data and no instruction.
 */
record ToolsInWords(ToolCallFormat format) {
  private static final JsonMapper JSON = JsonMapper.shared();

  /** Without calls and their results. */
  Prompt.Chat sayCalls(Prompt.Chat chat) {
    var messages = new ArrayList<Message>();
    var functions = new HashMap<String, String>(); // By the ids of their calls.
    for (var message : chat.messages()) {
      message.toolCalls().forEach(call -> functions.put(call.id(), call.function()));
      var said = said(message, functions);
      // Neighbouring results become one message: most templates want roles to alternate.
      if (message.role().equals("tool")
          && !messages.isEmpty()
          && messages.getLast().role().equals("user")) {
        var before = messages.removeLast().text();
        said = Message.of("user", before + "\n" + said.text());
      }
      messages.add(said);
    }
    return new Prompt.Chat(messages, chat.tools(), chat.templateArguments(), chat.continueLast());
  }

  /** Without tools. */
  Prompt.Chat sayTools(Prompt.Chat chat) {
    var messages = new ArrayList<>(chat.messages());
    if (!chat.tools().isEmpty()) {
      describe(chat.tools(), messages);
    }
    return new Prompt.Chat(messages, List.of(), chat.templateArguments(), chat.continueLast());
  }

  private Message said(Message message, Map<String, String> functions) {
    if (message.role().equals("tool")) {
      var function = message.toolCallId().map(functions::get).or(message::name);
      return Message.of(
          "user",
          "Result%s: %s".formatted(function.map(" of "::concat).orElse(""), message.text()));
    }
    if (message.toolCalls().isEmpty()) {
      return message;
    }
    var calls =
        message.toolCalls().stream()
            .map(call -> format.written(call.function(), call.arguments()))
            .collect(Collectors.joining("\n"));
    var text = message.text();
    return new Message(
        message.role(),
        Optional.of(new Content.Plain(text.isEmpty() ? calls : text + "\n" + calls)),
        message.reasoning(),
        List.of(),
        Optional.empty(),
        message.name());
  }

  private void describe(List<Tool> tools, List<Message> messages) {
    var words =
        """
        You can call these functions. Each line describes one, its parameters as a JSON Schema:
        %s
        To call a function, answer with nothing but its name and arguments, written like this:
        %s\
        """
            .formatted(
                tools.stream()
                    .map(tool -> JSON.writeValueAsString(ChatVariables.tool(tool).get("function")))
                    .collect(Collectors.joining("\n")),
                format.written("function_name", "{\"parameter\": \"value\"}"));
    if (!messages.isEmpty()
        && List.of("system", "developer").contains(messages.getFirst().role())) {
      var first = messages.removeFirst();
      messages.addFirst(Message.of(first.role(), first.text() + "\n\n" + words));
    } else {
      messages.addFirst(Message.of("system", words));
    }
  }
}
