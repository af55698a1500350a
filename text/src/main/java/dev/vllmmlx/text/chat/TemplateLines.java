package dev.vllmmlx.text.chat;

import dev.vllmmlx.text.jinja.JsonText;
import dev.vllmmlx.text.jinja.TemplateException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * Renders one JSON context a line to one line of JSON: {@code {"text": ...}} or {@code {"error":
 * ...}}. A context is the whole set of a template's variables; the key {@code template}, a file's
 * path, makes that line use another template than the default one. Used by one thread.
 */
public final class TemplateLines {
  private static final TypeReference<LinkedHashMap<String, Object>> CONTEXT =
      new TypeReference<>() {};

  private final JsonMapper json =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(900)
                          .maxNumberLength(5_000)
                          .maxStringLength(Integer.MAX_VALUE)
                          .build())
                  .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                  .build())
          .build();
  private final Map<Path, Compiled> compiled = new HashMap<>();
  private final ChatTemplate fallback;
  private final Clock clock;

  /** A template, or why there is none; the other is null. */
  private record Compiled(ChatTemplate template, String problem) {}

  /**
   * @param fallback for contexts that name no template; null if each has to name one
   * @param clock for {@code strftime_now}
   */
  public TemplateLines(ChatTemplate fallback, Clock clock) {
    this.fallback = fallback;
    this.clock = clock;
  }

  /** Renders all lines up to the end, flushing after each. Empty lines are passed over. */
  public void run(BufferedReader contexts, Writer results) throws IOException {
    for (var line = contexts.readLine(); line != null; line = contexts.readLine()) {
      if (!line.isBlank()) {
        results.write(render(line));
        results.write('\n');
        results.flush();
      }
    }
  }

  /** One line of JSON for one line of JSON, without line ends. */
  public String render(String line) {
    try {
      return result("text", renderContext(json.readValue(line, CONTEXT)));
    } catch (TemplateException e) {
      return result("error", String.valueOf(e.getMessage()));
    } catch (JacksonException e) {
      return result("error", "the context is not a JSON object: " + e.getOriginalMessage());
    }
  }

  private String renderContext(Map<String, Object> context) {
    if (!(context.get("template") instanceof String path)) {
      if (fallback == null) {
        throw refused("the context names no template and there is no default one");
      }
      return fallback.render(context);
    }
    context.remove("template");
    var found = compiled.computeIfAbsent(Path.of(path), this::compile);
    if (found.template() == null) {
      throw refused(found.problem());
    }
    return found.template().render(context);
  }

  private static TemplateException refused(String problem) {
    return new TemplateException(TemplateException.Kind.TEMPLATE, problem);
  }

  private Compiled compile(Path path) {
    try {
      return new Compiled(ChatTemplate.compile(Files.readString(path), clock), null);
    } catch (TemplateException e) {
      return new Compiled(null, e.getMessage());
    } catch (NoSuchFileException e) {
      return new Compiled(null, "no template file " + path);
    } catch (IOException e) {
      return new Compiled(null, "cannot read the template file " + path + ": " + e.getMessage());
    }
  }

  private static String result(String key, String value) {
    var text = new JsonText(false, null, null, false).write(value);
    return "{\"" + key + "\": " + escapeLoneSurrogates(text) + "}";
  }

  /** UTF-8 has no half characters; JSON can name them. */
  private static String escapeLoneSurrogates(String text) {
    if (text.codePoints().noneMatch(TemplateLines::isSurrogate)) {
      return text;
    }
    var out = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              if (isSurrogate(c)) {
                out.append("\\u%04x".formatted(c));
              } else {
                out.appendCodePoint(c);
              }
            });
    return out.toString();
  }

  private static boolean isSurrogate(int c) {
    return c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
  }
}
