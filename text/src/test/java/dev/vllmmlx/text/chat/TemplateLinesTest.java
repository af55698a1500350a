package dev.vllmmlx.text.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemplateLinesTest {
  private static final Clock CLOCK = Clock.systemUTC();

  private static String render(String template, String context) {
    return new TemplateLines(ChatTemplate.compile(template, CLOCK), CLOCK).render(context);
  }

  @Test
  void writesOneLineForEachContext() throws IOException {
    var lines = new TemplateLines(ChatTemplate.compile("{{ x }}\n{{ y }}", CLOCK), CLOCK);
    var out = new StringWriter();
    lines.run(new BufferedReader(new StringReader("{\"x\": 1}\n\n{\"y\": 1.0}\n")), out);
    assertThat(out).hasToString("{\"text\": \"1\\n\"}\n{\"text\": \"\\n1.0\"}\n");
  }

  @Test
  void keepsTheDifferenceOfNumbersAndTheOrderOfKeys() {
    assertThat(
            render(
                "{{ x|tojson|safe }}",
                "{\"x\": {\"b\": 1, \"a\": [1.0, 1e2, 123456789012345678901234567890, -0.0]}}"))
        .isEqualTo(
            "{\"text\": \"{\\\"b\\\": 1, \\\"a\\\": [1.0, 100.0, 123456789012345678901234567890, -0.0]}\"}");
  }

  @Test
  void carriesEveryCharacterThrough() {
    var text = "\\u0000\\u001f\u007f\u2028 \ud83d\ude00 \\ud83d x \\udc00";
    assertThat(render("{{ x }}", "{\"x\": \"" + text + "\"}"))
        .isEqualTo("{\"text\": \"" + text + "\"}");
  }

  @Test
  void answersErrorsWithTheirMessage() {
    assertThat(render("{{ raise_exception('no \"x\"') }}", "{}"))
        .isEqualTo("{\"error\": \"no \\\"x\\\"\"}");
    assertThat(render("{{ x.y }}", "{}")).isEqualTo("{\"error\": \"'x' is undefined\"}");
    assertThat(render("x", "[1]")).startsWith("{\"error\": \"the context is not a JSON object");
    assertThat(render("x", "{\"a\": "))
        .startsWith("{\"error\": \"the context is not a JSON object");
  }

  @Test
  void aContextMayNameItsOwnTemplate(@TempDir Path folder) throws IOException {
    var file = folder.resolve("a.jinja");
    Files.writeString(file, "own {{ x }}{{ template }}");
    var broken = folder.resolve("b.jinja");
    Files.writeString(broken, "{% if %}");
    var lines = new TemplateLines(null, CLOCK);
    var context = "{\"x\": 1, \"template\": \"%s\"}";
    assertThat(lines.render(context.formatted(file))).isEqualTo("{\"text\": \"own 1\"}");
    assertThat(lines.render(context.formatted(broken)))
        .isEqualTo("{\"error\": \"Expected an expression, got 'end of statement block'\"}");
    assertThat(lines.render(context.formatted(folder.resolve("c.jinja"))))
        .startsWith("{\"error\": \"no template file ");
    assertThat(lines.render("{\"x\": 1}"))
        .startsWith("{\"error\": \"the context names no template");
  }
}
