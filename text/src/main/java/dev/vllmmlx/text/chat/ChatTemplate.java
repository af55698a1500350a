package dev.vllmmlx.text.chat;

import dev.vllmmlx.text.jinja.Arguments;
import dev.vllmmlx.text.jinja.Environment;
import dev.vllmmlx.text.jinja.JsonText;
import dev.vllmmlx.text.jinja.Signature;
import dev.vllmmlx.text.jinja.Template;
import dev.vllmmlx.text.jinja.TemplateException;
import dev.vllmmlx.text.jinja.TemplateFunction;
import dev.vllmmlx.text.jinja.TemplateLimits;
import java.time.Clock;
import java.time.LocalDateTime;
import java.util.Map;

/**
 * A compiled chat template: Jinja2 as transformers sets it up, with its {@code tojson}, {@code
 * raise_exception} and {@code strftime_now}. Immutable and safe for use by many threads.
 */
public final class ChatTemplate {
  private static final Signature TO_JSON =
      Signature.of("tojson", "x", "ensure_ascii=", "indent=", "separators=", "sort_keys=");
  private static final Signature RAISE = Signature.of("raise_exception", "message");
  private static final Signature STRFTIME = Signature.of("strftime_now", "format");

  private final Template template;

  private ChatTemplate(Template template) {
    this.template = template;
  }

  /**
   * @param clock for {@code strftime_now}, in its zone
   * @throws TemplateException of kind SYNTAX
   */
  public static ChatTemplate compile(String source, Clock clock) {
    return compile(source, clock, TemplateLimits.standard());
  }

  public static ChatTemplate compile(String source, Clock clock, TemplateLimits limits) {
    TemplateFunction raise = ChatTemplate::raise;
    TemplateFunction now = STRFTIME.with(a -> Strftime.format(a.text(0), LocalDateTime.now(clock)));
    var environment =
        Environment.standard()
            .withLimits(limits)
            .withFilter("tojson", TO_JSON.with(ChatTemplate::toJson))
            .withGlobal("raise_exception", raise)
            .withGlobal("strftime_now", now);
    return new ChatTemplate(Template.parse(source, environment));
  }

  /**
   * @param context all variables: messages, tools, add_generation_prompt, bos_token, ...; values as
   *     {@link Template#render} takes them
   * @throws TemplateException when the template refuses the context, fails, or reaches a limit
   */
  public String render(Map<String, ?> context) {
    return template.render(context);
  }

  private static Object raise(Arguments arguments) {
    throw new TemplateException(TemplateException.Kind.TEMPLATE, RAISE.bind(arguments).text(0));
  }

  private static Object toJson(Signature.Bound arguments) {
    return new JsonText(
            arguments.truth(1, false),
            arguments.get(2, null),
            arguments.get(3, null),
            arguments.truth(4, false))
        .write(arguments.get(0));
  }
}
