package dev.vllmmlx.text.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.text.PythonEnvironment;
import dev.vllmmlx.text.jinja.TemplateException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/** Templates render as Python's Jinja2 renders them, and fail where it fails. */
class ChatTemplateParityTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Path FOLDER = Path.of("src/test/resources/chat");
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-03-05T14:07:09Z"), ZoneOffset.UTC);
  private static final int RANDOM_TEMPLATES = 4000;

  private static Map<String, Object> object(String json) {
    @SuppressWarnings("unchecked")
    Map<String, Object> object = JSON.readValue(json, Map.class);
    return object;
  }

  /** Text, or an error with its type, as the Python scripts print them. */
  private static Map<String, Object> render(String source, Map<?, ?> context) {
    try {
      @SuppressWarnings("unchecked")
      var variables = (Map<String, Object>) context;
      return Map.of("text", ChatTemplate.compile(source, CLOCK).render(variables));
    } catch (TemplateException e) {
      return Map.of("error", String.valueOf(e.getMessage()), "type", e.kind().pythonName());
    }
  }

  @Test
  void rendersOurTemplatesAndTheirErrorsAsPythonDid() throws IOException {
    var conversations = object(Files.readString(FOLDER.resolve("conversations.json")));
    var sources = new HashMap<String, String>();
    var wrong = new ArrayList<String>();
    for (var line : Files.readAllLines(FOLDER.resolve("expected.jsonl"))) {
      var expected = object(line);
      var template = (String) expected.remove("template");
      var conversation = (String) expected.remove("conversation");
      var source = sources.computeIfAbsent(template, ChatTemplateParityTest::source);
      var actual = render(source, (Map<?, ?>) conversations.get(conversation));
      if (!actual.equals(expected)) {
        wrong.add("%s, %s%n %s%n but %s".formatted(template, conversation, expected, actual));
      }
    }
    assertThat(wrong).isEmpty();
  }

  private static String source(String template) {
    try {
      return Files.readString(FOLDER.resolve("templates").resolve(template));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void rendersRandomTemplatesAsPythonDid() throws IOException {
    assertSameAsPython(Files.readAllLines(FOLDER.resolve("random.jsonl")));
  }

  @Test
  void rendersFreshRandomTemplatesAsPythonDoes() throws Exception {
    var lines =
        PythonEnvironment.lines("random_templates.py", "2026", Integer.toString(RANDOM_TEMPLATES));
    assertThat(lines).hasSize(RANDOM_TEMPLATES + 1);
    assertSameAsPython(lines);
  }

  /** Messages of errors are compared for the templates above; here only that there is one. */
  private static void assertSameAsPython(List<String> lines) {
    var context = (Map<?, ?>) object(lines.getFirst()).get("context");
    var wrong = new ArrayList<String>();
    for (var line : lines.subList(1, lines.size())) {
      var expected = object(line);
      var source = (String) expected.get("source");
      var actual = render(source, context);
      if (!Objects.equals(actual.get("text"), expected.get("text"))) {
        wrong.add("%s%n %s%n but %s".formatted(source, expected, actual));
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void theExpectedOutputsAreWhatPythonSays() throws Exception {
    assertThat(PythonEnvironment.lines("chat_expected.py", FOLDER.toAbsolutePath().toString()))
        .isEqualTo(Files.readAllLines(FOLDER.resolve("expected.jsonl")));
  }
}
