package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.text.chat.ChatTemplate;
import dev.vllmmlx.text.jinja.TemplateException;
import dev.vllmmlx.text.tokenizer.SpecialTokens;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Turns a conversation into the prompt's text by the model's own template. */
record ChatRenderer(ChatTemplate template, SpecialTokens specialTokens)
    implements Function<Prompt.Chat, String> {

  @Override
  public String apply(Prompt.Chat chat) {
    var variables = new LinkedHashMap<String, Object>(specialTokens.templateVariables());
    variables.put("messages", chat.messages().stream().map(ChatRenderer::message).toList());
    variables.put("add_generation_prompt", !chat.continueLast());
    variables.putAll(chat.templateArguments());
    try {
      return template.render(variables);
    } catch (TemplateException e) {
      throw new EngineException.InvalidRequest("messages", e.getMessage());
    }
  }

  private static Map<String, Object> message(Message message) {
    var map = new LinkedHashMap<String, Object>();
    map.put("role", message.role());
    message.content().ifPresent(content -> map.put("content", text(content)));
    message.reasoning().ifPresent(reasoning -> map.put("reasoning_content", reasoning));
    message.toolCallId().ifPresent(id -> map.put("tool_call_id", id));
    message.name().ifPresent(name -> map.put("name", name));
    return map;
  }

  private static String text(Message.Content content) {
    return switch (content) {
      case Message.Content.Plain(var text) -> text;
      case Message.Content.Parts(var parts) ->
          parts.stream()
              .map(part -> ((Message.Part.Text) part).text())
              .collect(Collectors.joining());
    };
  }
}
