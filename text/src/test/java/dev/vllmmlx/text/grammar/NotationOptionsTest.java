package dev.vllmmlx.text.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import dev.vllmmlx.text.tools.ToolCallFormats;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Alternatives in the parameters of a tool whose calls are no JSON. */
class NotationOptionsTest {
  private static final Tokenizer smolLm = Vocabularies.smolLm();

  private static Constraint argumentsOf(Map<String, Object> parameters) {
    var tool = new Tool("f", Optional.empty(), Optional.of(parameters), true);
    return ToolCallFormats.named("pythonic")
        .orElseThrow()
        .constraint(List.of(tool), new Constraint.ToolCalls(true, Optional.of("f"), false));
  }

  private static Map<String, Object> oneOfTexts(String... texts) {
    return Map.of("enum", List.of(texts));
  }

  /** What an option says of a property goes first, and the rest holds in each option. */
  @ParameterizedTest
  @ValueSource(strings = {"anyOf", "oneOf"})
  void optionsAreMergedWithWhatStandsBesideThem(String keyword) {
    var parameters =
        Map.<String, Object>of(
            "properties",
            Map.of("a", oneOfTexts("root")),
            "required",
            List.of("a"),
            keyword,
            List.of(
                Map.of("properties", Map.of("b", oneOfTexts("one")), "required", List.of("b")),
                Map.of("properties", Map.of("a", oneOfTexts("two")))));
    try (var compiler = ConstraintCompiler.of(smolLm);
        var start = compiler.compile(argumentsOf(parameters))) {
      for (var text : List.of("[f(a=\"root\", b=\"one\")]", "[f(a=\"two\")]")) {
        assertThat(Texts.admits(start, smolLm, text)).as(text).isTrue();
      }
      for (var text :
          List.of("[f(a=\"root\")]", "[f(b=\"one\")]", "[f(a=\"two\", b=\"one\")]", "[f()]")) {
        assertThat(Texts.admits(start, smolLm, text)).as(text).isFalse();
      }
    }
  }
}
