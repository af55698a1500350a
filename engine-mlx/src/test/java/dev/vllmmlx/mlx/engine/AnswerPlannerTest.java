package dev.vllmmlx.mlx.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.vllmmlx.mlx.sequence.TinyTokenizer;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.answer.AnswerFormat;
import dev.vllmmlx.text.grammar.ConstraintException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerPlannerTest {
  private static final Constraint ANY_CALL = new Constraint.ToolCalls(true, Optional.empty(), true);

  private static Tool tool(String name, Map<String, Object> parameter) {
    var parameters = Map.<String, Object>of("properties", Map.of("a", parameter));
    return new Tool(name, Optional.empty(), Optional.of(parameters), true);
  }

  @TempDir private Path folder;

  private EngineException.InvalidRequest refusal(String format, Constraint wanted, Tool... tools) {
    var request =
        new GenerationRequest(
            "id",
            0,
            new Prompt.Chat(List.of(Message.of("user", "hi")), List.of(tools), Map.of(), false),
            Sampling.greedy(),
            StopConditions.after(3),
            wanted,
            OptionalInt.empty(),
            Optional.empty(),
            0,
            "");
    try (var planner =
        new AnswerPlanner(
            TinyTokenizer.in(folder), AnswerFormat.named(Optional.empty(), Optional.of(format)))) {
      return catchThrowableOfType(
          EngineException.InvalidRequest.class, () -> planner.rules(request, false));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"hermes", "json", "llama3_json", "qwen3_coder", "pythonic"})
  void namesTheToolWhoseParametersCannotBeKept(String format) {
    var good = tool("good", Map.of("type", "integer"));
    var bad = tool("bad", Map.of("type", "array", "uniqueItems", true));
    var refusal = refusal(format, ANY_CALL, good, bad, tool("other", Map.of("type", "string")));
    assertThat(refusal.field()).contains("tools[1].function.parameters");
    assertThat(refusal)
        .hasMessageStartingWith("parameters of bad: ")
        .hasMessageContaining("uniqueItems");
  }

  @Test
  void blamesNoToolForWhatElseTheAnswerMustBe() {
    var wanted = new Constraint.Either(List.of(ANY_CALL, new Constraint.Regex("(")));
    var refusal = refusal("hermes", wanted, tool("good", Map.of("type", "integer")));
    assertThat(refusal.field()).contains("constraint");
  }

  @Test
  void aMomentWithoutRoomToCompileIsNoFaultOfTheRequest() {
    assertThat(AnswerPlanner.refusal(new ConstraintException.Busy("later")))
        .isInstanceOf(EngineException.Overloaded.class);
    assertThat(AnswerPlanner.refusal(new ConstraintException.TooLarge("never")))
        .isInstanceOf(EngineException.InvalidRequest.class);
  }
}
