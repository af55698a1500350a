package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.StopConditions;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.answer.AnswerFormat;
import dev.vllmmlx.text.parts.Part;
import dev.vllmmlx.text.parts.Parts;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tools, a schema for what is no call, thinking with a budget, two choices and log probabilities in
 * one request: of a random model, that begins inside of its thinking, in both engines.
 */
class SeveralAtOnceTest {
  private static final int BUDGET = 12;
  private static final String PARAMETERS =
      """
      {"type": "object", "properties": {"days": {"type": "integer", "minimum": 1, "maximum": 14}},
       "required": ["days"], "additionalProperties": false}""";
  private static final String SCHEMA =
      """
      {"type": "object", "properties": {"colors": {"type": "array", "minItems": 1, "maxItems": 3,
       "items": {"enum": ["red", "green", "blue"]}}}, "required": ["colors"],
       "additionalProperties": false}""";
  private static final List<Tool> TOOLS =
      List.of(
          new Tool(
              "forecast",
              Optional.empty(),
              Optional.of(
                  Map.of(
                      "type",
                      "object",
                      "properties",
                      Map.of("days", Map.of("type", "integer", "minimum", 1, "maximum", 14)),
                      "required",
                      List.of("days"))),
              true));
  private static final AnswerFormat FORMAT =
      AnswerFormat.named(Optional.of("think"), Optional.of("hermes"));

  @TempDir static Path folder;

  /** What an answer is made of. */
  private record Read(String reasoning, String content, List<String> calls) {}

  @Test
  void eachDoesWhatItSaysInBothEngines() throws Exception {
    var tiny = Optional.of(Engines.tinyModel(folder, 2048));
    var settings = folder.resolve("tokenizer_config.json");
    Files.writeString(
        settings, Files.readString(settings).replace("assistant: {", "assistant: <think>{"));
    var formats = Map.of("reasoning-parser", "think", "tool-call-parser", "hermes");
    try (var batched = Engines.batched(tiny, formats);
        var simple = Engines.simple(tiny, formats)) {
      var together = new ArrayList<Answer>();
      for (var number = 0; number < 24; number++) {
        together.add(ask(batched, number));
      }
      var calls = 0;
      for (var number = 0; number < together.size(); number++) {
        var answer = together.get(number);
        var read = check(answer);
        calls += read.calls().size();
        var alone = ask(simple, number);
        assertThat(check(alone)).isEqualTo(read);
        assertThat(alone.tokens()).isEqualTo(answer.tokens());
      }
      assertThat(calls).as("some call, and some do not").isBetween(1, together.size() - 1);
    }
  }

  private static Answer ask(Engine engine, int number) {
    var messages = List.of(Message.of("user", "Number " + number / 2));
    var wanted =
        new Constraint.Either(
            List.of(
                new Constraint.ToolCalls(true, Optional.empty(), false),
                new Constraint.JsonSchema(SCHEMA, true)));
    var answer = new Answer();
    engine.generate(
        new GenerationRequest(
            "request-" + number / 2,
            number % 2,
            new Prompt.Chat(messages, TOOLS, Map.of(), false),
            Requests.seeded(1.5f, number),
            new StopConditions(1200, 0, List.of(), Set.of(), false),
            wanted,
            OptionalInt.of(BUDGET),
            OptionalInt.of(2),
            Optional.empty(),
            0,
            ""),
        answer);
    return answer;
  }

  private static Read check(Answer answer) throws InterruptedException {
    assertThat(answer.finished().reason()).as(answer.text()).isEqualTo(FinishReason.STOP);
    assertThat(answer.started().thinking()).isTrue();
    var tokens = answer.finished().usage().completionTokens();
    assertThat(answer.tokens()).hasSize(tokens);
    for (var delta : answer.deltas()) {
      assertThat(delta.logprobs()).allSatisfy(each -> assertThat(each.top()).hasSize(2));
    }
    var read = read(answer.text());
    assertThat(read.reasoning().length()).isLessThanOrEqualTo(4 * BUDGET);
    if (read.calls().isEmpty()) {
      Judge.assertValid(SCHEMA, read.content(), read.content());
    } else {
      assertThat(read.content()).isBlank();
      Judge.assertValid(PARAMETERS, read.calls().getFirst(), answer.text());
    }
    return read;
  }

  private static Read read(String text) {
    var parts = new Parts();
    var reader = FORMAT.reader(TOOLS, true);
    reader.feed(text, parts);
    reader.finish(false, parts);
    var reasoning = new StringBuilder();
    var content = new StringBuilder();
    var calls = new ArrayList<String>();
    for (var part : parts.take()) {
      switch (part) {
        case Part.Reasoning(var more) -> reasoning.append(more);
        case Part.Content(var more) -> content.append(more);
        case Part.ToolCallStart _ -> calls.add("");
        case Part.ToolCallArguments(var index, var more) ->
            calls.set(index, calls.get(index) + more);
        case Part.ToolCallEnd _ -> {}
      }
    }
    return new Read(reasoning.toString(), content.toString(), calls);
  }
}
