package dev.vllmmlx.gateway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** {@code vllm-mlx grammar} with the default model. */
class GrammarCommandTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String AGE =
      """
      {"type":"object","properties":{"name":{"const":"\u00c9va <|im_end|>"},"age":{"type":"integer","minimum":0}},
       "required":["name","age"],"additionalProperties":false}""";

  @TempDir Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    return Main.run(arguments, new PrintWriter(out, true), new PrintWriter(err, true));
  }

  private String file(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content).toString();
  }

  @Test
  void saysWhichLinesAreAdmittedAndWhereOthersAreNot() throws IOException {
    var lines =
        """
        {"name": "\u00c9va <|im_end|>", "age": 5}
        {"name": "\\u00c9va <|im_end|>","age":5}
        {"name": "\u00c9va <|im_end|>", "age": -5}
        {"name": "\u00c9va <|im_end|>"}
        {"name": "\u00c9va <|im_end|>", "age": 5
        """;
    var code =
        run("grammar", "--json", "--schema", file("s.json", AGE), "--accepts", file("a", lines));
    assertThat(err.toString()).isEmpty();
    assertThat(code).isZero();
    var page = JSON.readTree(out.toString());
    assertThat(page.path("compiles").asBoolean()).isTrue();
    assertThat(page.path("lines").valueStream().map(each -> each.path("accept").asBoolean()))
        .containsExactly(true, true, false, false, false);
    var third = page.path("lines").path(2);
    assertThat(third.path("character").asInt())
        .isBetween(
            "{\"name\": \"Eva <|im_end|>\", \"age".length(),
            "{\"name\": \"Eva <|im_end|>\", \"age\": ".length());
    assertThat(third.path("token").asString()).contains("-");
    assertThat(page.path("mask_us").path("count").asInt()).isGreaterThan(50);
    assertThat(page.path("mask_us").path("p50").asDouble()).isPositive();
  }

  @Test
  void printsForPeople() throws IOException {
    assertThat(
            run(
                "grammar",
                "--schema",
                file("s.json", "{\"type\":\"boolean\",\"not\":{\"const\":true}}"),
                "--accepts",
                file("a", "false\nmaybe\n"),
                "--lenient"))
        .isZero();
    assertThat(out.toString())
        .contains("compiles in")
        .contains("not kept: 'not' at /not")
        .contains("1: accept\n")
        .contains("2: reject at character 0, token \"may")
        .contains("masks: p50");
  }

  @Test
  void fails1WhenASchemaDoesNotCompileAndGoesOn() throws IOException {
    var code =
        run(
            "grammar",
            "--json",
            "--schema",
            file("bad.json", "{\"items\":{\"uniqueItems\":true}}"),
            "--schema",
            file("good.json", "{}"));
    assertThat(code).isOne();
    var pages = out.toString().lines().map(JSON::readTree).toList();
    assertThat(pages.get(0).path("error").path("kind").asString()).isEqualTo("unsupported");
    assertThat(pages.get(0).path("error").path("path").asString()).isEqualTo("/items/uniqueItems");
    assertThat(pages.get(1).path("compiles").asBoolean()).isTrue();
  }
}
