package dev.vllmmlx.text.chat;

import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Message.Content;
import dev.vllmmlx.spi.ModelInfo.TemplateCapabilities;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.text.answer.AnswerFormat;
import dev.vllmmlx.text.jinja.TemplateException;
import dev.vllmmlx.text.reasoning.ReasoningFormat;
import dev.vllmmlx.text.tokenizer.ChatTemplates;
import dev.vllmmlx.text.tokenizer.SpecialTokens;
import dev.vllmmlx.text.tools.ToolCallFormat;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * From a conversation to a prompt's text, by a checkpoint's chat templates. Immutable; any number
 * of threads may share one. The text has its special tokens already: encode it without adding any.
 */
public final class ChatPromptRenderer implements Function<Prompt.Chat, String> {
  private static final String FOR_TOOLS = "tool_use";
  private static final String FOR_DOCUMENTS = "rag";

  /** Variables that a request sets by fields of its own. */
  private static final Set<String> RESERVED = Set.of("messages", "tools");

  /** Put after the text to continue, to cut there what the template adds behind it. */
  private static final String END_MARK = "\uE000END-OF-THE-TEXT-TO-CONTINUE\uE001";

  /** Goes with the mark, to see whether the template trims the text. */
  private static final String SPACE = " ";

  private final Map<String, Probed> templates;
  private final Map<String, Object> tokens;

  private final AnswerFormat answers;

  /**
   * @param showsTools whether tools show in the prompt
   * @param printsCalls whether calls do
   */
  private record Probed(
      ChatTemplate template, MessageShape shape, boolean showsTools, boolean printsCalls) {}

  private ChatPromptRenderer(
      Map<String, Probed> templates, Map<String, Object> tokens, AnswerFormat answers) {
    this.templates = templates;
    this.tokens = tokens;
    this.answers = answers;
  }

  /**
   * Compiles and probes the templates.
   *
   * @param clock for templates that print the date
   * @return empty if the checkpoint has none
   * @throws TemplateException of kind SYNTAX if one of them does not compile
   */
  public static Optional<ChatPromptRenderer> of(
      ChatTemplates sources, SpecialTokens specialTokens, Clock clock) {
    if (sources.named().isEmpty()) {
      return Optional.empty();
    }
    var tokens = specialTokens.templateVariables();
    var templates = new LinkedHashMap<String, Probed>();
    sources
        .named()
        .forEach(
            (name, source) -> {
              var template = ChatTemplate.compile(source, clock);
              var probe = new TemplateProbe(template, tokens);
              var shape = probe.shape();
              templates.put(
                  name,
                  new Probed(template, shape, probe.showsTools(shape), probe.printsCalls(shape)));
            });
    var answers = AnswerFormat.of(sources.named().values());
    return Optional.of(new ChatPromptRenderer(templates, tokens, answers));
  }

  /** The same for answers that are not written as the templates show it. */
  public ChatPromptRenderer withAnswers(AnswerFormat answers) {
    return new ChatPromptRenderer(templates, tokens, answers);
  }

  /** How answers are written. */
  public AnswerFormat answers() {
    return answers;
  }

  /** What the templates can do, for the engine's {@code ModelInfo}. */
  public TemplateCapabilities capabilities() {
    boolean tools = templates.containsKey(FOR_TOOLS);
    boolean reasoning = false;
    for (var probed : templates.values()) {
      var probe = new TemplateProbe(probed.template(), tokens);
      tools |= probed.showsTools();
      reasoning |= probe.hasThinkingSwitch(probed.shape());
    }
    return new TemplateCapabilities(
        true,
        tools,
        reasoning,
        answers.reasoning().map(ReasoningFormat::name),
        answers.calls().map(ToolCallFormat::name));
  }

  @Override
  public String apply(Prompt.Chat chat) {
    return render(chat);
  }

  /**
   * The prompt's text.
   *
   * @throws EngineException.InvalidRequest when the template refuses the conversation, with the
   *     template's message
   */
  public String render(Prompt.Chat asked) {
    var arguments = asked.templateArguments();
    for (var name : RESERVED) {
      if (arguments.containsKey(name)) {
        throw new EngineException.InvalidRequest(
            "chat_template_kwargs", name + " is a field of its own, not a template argument");
      }
    }
    var chosen = choose(asked);
    var chat = inWords(asked, chosen);
    var messages = chat.continueLast() ? marked(chat.messages()) : chat.messages();
    var context = new LinkedHashMap<String, Object>(tokens);
    context.put(
        "tools",
        chat.tools().isEmpty() ? null : chat.tools().stream().map(ChatVariables::tool).toList());
    context.put("documents", null);
    context.put("add_generation_prompt", !chat.continueLast());
    context.putAll(arguments);
    context.put("messages", new ChatVariables(chosen.shape()).messages(messages));
    try {
      var text = chosen.template().render(context);
      return chat.continueLast() ? cut(text) : text;
    } catch (TemplateException e) {
      throw new EngineException.InvalidRequest("messages", message(e));
    }
  }

  /** What the template would lose is said in words. */
  private Prompt.Chat inWords(Prompt.Chat chat, Probed chosen) {
    if (answers.calls().isEmpty()) {
      return chat;
    }
    var words = new ToolsInWords(answers.calls().get());
    var said = chosen.printsCalls() ? chat : words.sayCalls(chat);
    return chosen.showsTools() ? said : words.sayTools(said);
  }

  private static String message(TemplateException e) {
    if (e.kind() == TemplateException.Kind.TEMPLATE) {
      return e.getMessage();
    }
    var where = e.line() > 0 ? " in line " + e.line() : "";
    return "the model's chat template failed" + where + ": " + e.getMessage();
  }

  private Probed choose(Prompt.Chat chat) {
    boolean documents = chat.templateArguments().get("documents") instanceof List<?>;
    if (!chat.tools().isEmpty() && templates.containsKey(FOR_TOOLS)) {
      return templates.get(FOR_TOOLS);
    }
    if (documents && templates.containsKey(FOR_DOCUMENTS)) {
      return templates.get(FOR_DOCUMENTS);
    }
    var usual = templates.get(ChatTemplates.DEFAULT);
    if (usual != null) {
      return usual;
    }
    if (templates.size() == 1) {
      return templates.values().iterator().next();
    }
    throw new EngineException.InvalidRequest(
        "messages",
        "this model has no default chat template, only " + String.join(", ", templates.keySet()));
  }

  private static List<Message> marked(List<Message> messages) {
    if (messages.isEmpty()) {
      throw new EngineException.InvalidRequest(
          "messages", "messages is empty: nothing to continue");
    }
    var last = messages.getLast();
    var content =
        switch (last.content().orElse(null)) {
          case Content.Plain(var text) -> new Content.Plain(text + END_MARK + SPACE);
          case Content.Parts(var parts) when !parts.isEmpty() -> {
            var marked = new ArrayList<>(parts);
            if (marked.removeLast() instanceof Message.Part.Text(var text)) {
              marked.add(new Message.Part.Text(text + END_MARK + SPACE));
            }
            yield new Content.Parts(marked);
          }
          case null, default ->
              throw new EngineException.InvalidRequest(
                  "messages", "the last message has no content to continue");
        };
    var marked = new ArrayList<>(messages.subList(0, messages.size() - 1));
    marked.add(
        new Message(
            last.role(),
            Optional.of(content),
            last.reasoning(),
            last.toolCalls(),
            last.toolCallId(),
            last.name()));
    return marked;
  }

  private static String cut(String text) {
    int end = text.lastIndexOf(END_MARK);
    if (end < 0) {
      throw new EngineException.InvalidRequest(
          "continue_final_message",
          "the model's chat template does not print the end of the last message, so that it cannot"
              + " be continued");
    }
    boolean trimmed = !text.startsWith(SPACE, end + END_MARK.length());
    var prompt = text.substring(0, end);
    return trimmed ? prompt.stripTrailing() : prompt;
  }
}
