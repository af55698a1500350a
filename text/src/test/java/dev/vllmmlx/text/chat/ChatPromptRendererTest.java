package dev.vllmmlx.text.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Message.Content;
import dev.vllmmlx.spi.Message.ToolCall;
import dev.vllmmlx.spi.ModelInfo.TemplateCapabilities;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.tokenizer.ChatTemplates;
import dev.vllmmlx.text.tokenizer.SpecialTokens;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ChatPromptRendererTest {
  private static final String PLAIN =
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}"
          + "{% if add_generation_prompt %}<assistant>{% endif %}";
  private static final Tool TOOL =
      new Tool("add", Optional.of("Adds."), Optional.of(Map.of("type", "object")), true);

  private static ChatPromptRenderer renderer(String template) {
    return renderer(Map.of(ChatTemplates.DEFAULT, template));
  }

  private static ChatPromptRenderer renderer(Map<String, String> templates) {
    var tokens = new SpecialTokens(Map.of("bos_token", "<s>"), List.of());
    return ChatPromptRenderer.of(new ChatTemplates(templates), tokens, Clock.systemUTC())
        .orElseThrow();
  }

  private static Prompt.Chat chat(Message... messages) {
    return new Prompt.Chat(List.of(messages), List.of(), Map.of(), false);
  }

  private static Message parts(String... texts) {
    var parts = List.of(texts).stream().map(t -> (Message.Part) new Message.Part.Text(t)).toList();
    return new Message(
        "user",
        Optional.of(new Content.Parts(parts)),
        Optional.empty(),
        List.of(),
        Optional.empty(),
        Optional.empty());
  }

  private static Message calling(String arguments) {
    return new Message(
        "assistant",
        Optional.empty(),
        Optional.empty(),
        List.of(new ToolCall("c1", "add", arguments)),
        Optional.empty(),
        Optional.empty());
  }

  @Test
  void rendersMessagesWithTheCheckpointsTokens() {
    assertThat(renderer("{{ bos_token }}" + PLAIN).render(chat(Message.of("user", "Hi"))))
        .isEqualTo("<s><user>Hi</><assistant>");
  }

  @Test
  void thereIsNoRendererWithoutATemplate() {
    assertThat(ChatPromptRenderer.of(ChatTemplates.NONE, SpecialTokens.NONE, Clock.systemUTC()))
        .isEmpty();
  }

  @Test
  void toolsAndDocumentsHaveTemplatesOfTheirOwn() {
    var templates = new LinkedHashMap<String, String>();
    templates.put("default", "d");
    templates.put("tool_use", "t {{ tools|tojson }}");
    templates.put("rag", "r {{ documents|length }}");
    var renderer = renderer(templates);
    var hi = List.of(Message.of("user", "Hi"));
    assertThat(renderer.render(new Prompt.Chat(hi, List.of(), Map.of(), false))).isEqualTo("d");
    assertThat(renderer.render(new Prompt.Chat(hi, List.of(TOOL), Map.of(), false)))
        .isEqualTo(
            "t [{\"type\": \"function\", \"function\": {\"name\": \"add\", \"description\":"
                + " \"Adds.\", \"parameters\": {\"type\": \"object\"}}}]");
    var documents = Map.<String, Object>of("documents", List.of("a", "b"));
    assertThat(renderer.render(new Prompt.Chat(hi, List.of(), documents, false))).isEqualTo("r 2");
  }

  @Test
  void aRefusalOfTheTemplateIsTheClientsErrorWithItsMessage() {
    var renderer = renderer("{{ raise_exception('Roles must alternate!') }}");
    assertThatExceptionOfType(EngineException.InvalidRequest.class)
        .isThrownBy(() -> renderer.render(chat(Message.of("user", "Hi"))))
        .withMessage("Roles must alternate!")
        .satisfies(e -> assertThat(e.field()).contains("messages"));
    assertThatExceptionOfType(EngineException.InvalidRequest.class)
        .isThrownBy(() -> renderer("\n{{ x.y }}").render(chat(Message.of("user", "Hi"))))
        .withMessage("the model's chat template failed in line 2: 'x' is undefined");
  }

  @Test
  void partsAreJoinedUnlessTheTemplateTakesThem() {
    assertThat(renderer(PLAIN).render(chat(parts("a", "b")))).isEqualTo("<user>a\nb</><assistant>");
    var takesParts =
        "{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}"
            + "{% for p in m.content %}[{{ p.text }}]{% endfor %}{% endif %}{% endfor %}";
    assertThat(renderer(takesParts).render(chat(parts("a", "b"), Message.of("user", "c"))))
        .isEqualTo("[a][b]c");
    var partsOnly =
        "{% for m in messages %}{% for p in m.content %}[{{ p.text }}]{% endfor %}{% endfor %}";
    assertThat(renderer(partsOnly).render(chat(Message.of("user", "c")))).isEqualTo("[c]");
  }

  @Test
  void argumentsAreAnObjectOrTextAsTheTemplateExpects() {
    var call =
        "{% for m in messages %}{% for c in m.tool_calls or [] %}{{ c.function.name }}(%s){%%"
            + " endfor %%}{%% endfor %%}";
    call = call.replace("%%", "%");
    var question = Message.of("user", "?");
    assertThat(
            renderer(call.replace("%s", "{{ c.function.arguments|tojson }}"))
                .render(chat(question, calling("{\"b\":1.0,\"a\":[2]}"))))
        .isEqualTo("add({\"b\": 1.0, \"a\": [2]})");
    assertThat(
            renderer(call.replace("%s", "{{ c.function.arguments }}"))
                .render(chat(question, calling("{\"b\":1.0,\"a\":[2]}"))))
        .isEqualTo("add({\"b\":1.0,\"a\":[2]})");
    var objects = renderer(call.replace("%s", "{{ c.function.arguments|tojson }}"));
    assertThat(objects.render(chat(question, calling("")))).isEqualTo("add({})");
    assertThatExceptionOfType(EngineException.InvalidRequest.class)
        .isThrownBy(() -> objects.render(chat(question, calling("{\"b\":"))))
        .satisfies(
            e -> assertThat(e.field()).contains("messages[1].tool_calls[0].function.arguments"));
  }

  @Test
  void idsOfCallsAreOnesThatTheTemplateTakes() {
    var template =
        "{% for m in messages %}{% for c in m.tool_calls or [] %}"
            + "%s{{ c.function.name }} {{ c.id }} {{ c.function.arguments|tojson }}{% endfor %}"
            + "{% if m.tool_call_id %} = {{ m.tool_call_id }}{% endif %}{% endfor %}";
    var result =
        new Message(
            "tool",
            Optional.of(new Content.Plain("3")),
            Optional.empty(),
            List.of(),
            Optional.of("c1"),
            Optional.empty());
    var messages = chat(Message.of("user", "?"), calling("{}"), result);
    var any = renderer(template.replace("%s", ""));
    assertThat(any.render(messages)).isEqualTo("add c1 {} = c1");
    var strict =
        renderer(
            template.replace(
                "%s", "{% if c.id|length != 9 %}{{ raise_exception('ids have 9') }}{% endif %}"));
    assertThat(strict.render(messages)).matches("add ([A-Za-z0-9]{9}) \\{} = \\1");
  }

  @Test
  void contentThatWasNotSentIsWhatTheTemplateCanTake() {
    var calls =
        "{% if m.tool_calls %}{{ m.tool_calls[0].function.name }}"
            + "{{ m.tool_calls[0].function.arguments|tojson }}{% endif %}";
    var each = "{% for m in messages %}" + calls + "%s;{% endfor %}";
    var messages = chat(Message.of("user", "?"), calling("{}"));
    assertThat(renderer(each.replace("%s", "{{ 'content' in m }}")).render(messages))
        .isEqualTo("True;add{}False;");
    assertThat(renderer(each.replace("%s", "{{ m.content + '!' }}")).render(messages))
        .isEqualTo("?!;add{}!;");
  }

  @Test
  void anEmptyTextBesideCallsIsNoneWhereTheTemplateAsksForThat() {
    var template =
        "{% for m in messages %}{% if m.content is none %}{{ m.tool_calls[0].function.name ~"
            + " m.tool_calls[0].function.arguments }}{% else %}{{ m.content }}{% endif %}{% endfor"
            + " %}";
    var call = calling("{}");
    var empty =
        new Message(
            call.role(),
            Optional.of(new Content.Plain("")),
            call.reasoning(),
            call.toolCalls(),
            call.toolCallId(),
            call.name());
    assertThat(renderer(template).render(chat(Message.of("user", "?"), empty))).isEqualTo("?add{}");
  }

  @Test
  void theLastMessageCanBeContinued() {
    var continued =
        new Prompt.Chat(
            List.of(Message.of("user", "Hi"), Message.of("assistant", "I am ")),
            List.of(),
            Map.of(),
            true);
    assertThat(renderer(PLAIN).render(continued)).isEqualTo("<user>Hi</><assistant>I am ");
    assertThat(renderer(PLAIN.replace("m.content", "m.content|trim")).render(continued))
        .isEqualTo("<user>Hi</><assistant>I am");
    assertThatExceptionOfType(EngineException.InvalidRequest.class)
        .isThrownBy(() -> renderer("{{ messages[0].content }}").render(continued))
        .withMessageContaining("cannot be continued");
  }

  @Test
  void aDeveloperIsTheSystemWhereTheTemplateKnowsNoDeveloper() {
    var known =
        "{% for m in messages if m.role in ['system', 'user'] %}{{ m.role }}:{{ m.content }};{%"
            + " endfor %}";
    assertThat(renderer(known).render(chat(Message.of("developer", "Be brief."))))
        .isEqualTo("system:Be brief.;");
    assertThat(renderer(PLAIN).render(chat(Message.of("developer", "Be brief."))))
        .isEqualTo("<developer>Be brief.</><assistant>");
  }

  @Test
  void argumentsOfTheRequestReachTheTemplateButNotItsMessages() {
    var renderer = renderer("{{ enable_thinking }} {{ documents is none }} {{ tools is none }}");
    var hi = List.of(Message.of("user", "Hi"));
    assertThat(
            renderer.render(
                new Prompt.Chat(hi, List.of(), Map.of("enable_thinking", false), false)))
        .isEqualTo("False True True");
    assertThatExceptionOfType(EngineException.InvalidRequest.class)
        .isThrownBy(
            () ->
                renderer.render(
                    new Prompt.Chat(hi, List.of(), Map.of("messages", List.of()), false)))
        .withMessageContaining("messages");
  }

  @Test
  void tellsWhatATemplateCanDo() throws IOException {
    assertThat(renderer(PLAIN).capabilities())
        .isEqualTo(
            new TemplateCapabilities(true, false, false, Optional.empty(), Optional.of("json")));
    var markers = Files.readString(Path.of("src/test/resources/chat/templates/markers.jinja"));
    var capabilities = renderer(markers).capabilities();
    assertThat(capabilities.tools()).isTrue();
    assertThat(capabilities.reasoning()).isTrue();
  }

  @Test
  void aTemplateWithoutToolsIsToldOfThemInWords() {
    var chat =
        new Prompt.Chat(
            List.of(Message.of("system", "Be short."), Message.of("user", "2 + 3?")),
            List.of(TOOL),
            Map.of(),
            false);
    assertThat(renderer(PLAIN).render(chat))
        .startsWith("<system>Be short.\n\nYou can call")
        .contains(
            "{\"name\":\"add\",\"description\":\"Adds.\",\"parameters\":{\"type\":\"object\"}}")
        .endsWith("</><user>2 + 3?</><assistant>");
  }

  @Test
  void callsAndResultsAreWordsWhereATemplateHasNoPlaceForThem() {
    var result =
        new Message(
            "tool",
            Optional.of(new Content.Plain("5")),
            Optional.empty(),
            List.of(),
            Optional.of("c1"),
            Optional.empty());
    assertThat(
            renderer(PLAIN)
                .render(chat(Message.of("user", "2 + 3?"), calling("{\"a\": 2}"), result)))
        .isEqualTo(
            "<user>2 + 3?</><assistant>{\"name\": \"add\", \"arguments\": {\"a\": 2}}</>"
                + "<user>Result of add: 5</><assistant>");
  }
}
