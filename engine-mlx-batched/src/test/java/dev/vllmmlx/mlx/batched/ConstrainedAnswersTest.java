package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.parts.Part;
import dev.vllmmlx.text.parts.Parts;
import dev.vllmmlx.text.tools.ToolCallFormats;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/**
 * Answers that must be something are it, however hot they are sampled and whoever is beside them.
 * The models would fail alone: one is small, one is random. Each constraint is asked for a few
 * times, and of every so many requests one is asked of the simple engine too. The profile {@code
 * constrained} asks for hundreds, and each of the simple engine, by {@code constrained.requests}
 * and {@code constrained.alone}.
 */
class ConstrainedAnswersTest {
  private static final int TINY_REQUESTS = Integer.getInteger("constrained.requests", 96);
  private static final int SMOLLM2_REQUESTS = Integer.getInteger("constrained.requests", 36);

  /** No divisor of the number of constraints, so that it comes to each of them. */
  private static final int ALONE = Integer.getInteger("constrained.alone", 5);

  private static final String PARAMETERS =
      """
      {"type": "object", "properties": {"place": {"type": "string", "enum": ["here", "there"]},
       "days": {"type": "integer", "minimum": 1, "maximum": 14},
       "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2}},
       "required": ["days"], "additionalProperties": false}
      """;

  private static final List<Constraint> CONSTRAINTS =
      List.of(
          schema(
              """
              {"type": "object", "properties": {"name": {"type": "string", "maxLength": 20},
               "age": {"type": "integer", "minimum": 0, "maximum": 150}},
               "required": ["name", "age"], "additionalProperties": false}
              """),
          schema(
              """
              {"type": "object", "properties": {"colors": {"type": "array", "minItems": 2,
               "maxItems": 4, "items": {"enum": ["red", "green", "blue"]}}},
               "required": ["colors"], "additionalProperties": false}
              """),
          schema(
              """
              {"type": "object", "properties": {"kind": {"const": "point"}, "x": {"type": "number"},
               "y": {"type": "number"}, "tag": {"anyOf": [{"type": "null"},
               {"type": "string", "pattern": "^[a-z]{3,8}$"}]}},
               "required": ["kind", "x", "y", "tag"], "additionalProperties": false}
              """),
          schema(
              """
              {"$defs": {"node": {"type": "object", "properties": {"value": {"type": "integer"},
               "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
               "required": ["value", "next"], "additionalProperties": false}},
               "$ref": "#/$defs/node"}
              """),
          schema(
              """
              {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 5}
              """),
          new Constraint.JsonObject(),
          new Constraint.Regex("[A-Z][a-z]{2,9} [0-9]{4}"),
          new Constraint.Choice(List.of("positive", "negative", "neither of both")),
          new Constraint.Grammar("start: \"yes\" | \"no, \" /[a-z]{1,6}/"),
          calls("hermes"),
          calls("pythonic"),
          new Constraint.None());

  @TempDir static Path folder;

  private record Asked(Constraint constraint, GenerationRequest request) {}

  @Test
  void ofARandomModelInBatches() throws Exception {
    var tiny = Engines.tinyModel(folder);
    try (var simple = Engines.simple(Optional.of(tiny));
        var batched = Engines.batched(Optional.of(tiny), Map.of("use-paged-cache", "true"))) {
      check(batched, simple, requests(TINY_REQUESTS, 300));
    }
  }

  @Test
  void ofSmolLm2InBatches() throws Exception {
    try (var simple = Engines.simple(Optional.empty());
        var batched =
            Engines.batched(
                Optional.empty(), Map.of("use-paged-cache", "true", "max-num-seqs", "16"))) {
      check(batched, simple, requests(SMOLLM2_REQUESTS, 120));
    }
  }

  private static void check(Engine batched, Engine simple, List<Asked> all)
      throws InterruptedException {
    var answers = all.stream().map(asked -> generate(batched, asked.request())).toList();
    var whole = 0;
    var constrained = 0;
    for (var i = 0; i < all.size(); i++) {
      var finished = answers.get(i).finished();
      if (all.get(i).constraint() instanceof Constraint.None) {
        continue;
      }
      constrained++;
      if (finished.reason() == FinishReason.STOP) {
        whole++;
        assertKept(all.get(i).constraint(), answers.get(i).text());
      }
      if (i % ALONE == 0) {
        var alone = generate(simple, all.get(i).request());
        assertThat(alone.finished().reason()).isEqualTo(finished.reason());
        assertThat(alone.text()).as("alone").isEqualTo(answers.get(i).text());
      }
    }
    assertThat(whole).as("answers that came to their end").isGreaterThan(constrained / 2);
  }

  private static Answer generate(Engine engine, GenerationRequest request) {
    var answer = new Answer();
    engine.generate(request, answer);
    return answer;
  }

  private static void assertKept(Constraint constraint, String text) {
    switch (constraint) {
      case Constraint.JsonSchema(var schema, var _, var _) -> Judge.assertValid(schema, text, text);
      case Constraint.JsonObject _ ->
          assertThat(JsonMapper.shared().readTree(text).isObject()).as(text).isTrue();
      case Constraint.Regex(var pattern) ->
          assertThat(Pattern.matches(pattern, text)).as(text).isTrue();
      case Constraint.Choice(var texts) -> assertThat(texts).contains(text);
      case Constraint.Sequence _ -> assertCalls(text);
      case Constraint.Grammar _ -> assertThat(text).matches("yes|no, [a-z]{1,6}");
      default -> throw new AssertionError(constraint);
    }
  }

  /** Read by the format that the text begins as, each call fits the tool's parameters. */
  private static void assertCalls(String text) {
    var format = ToolCallFormats.named(text.startsWith("<") ? "hermes" : "pythonic").orElseThrow();
    var reader = format.reader(tools());
    var parts = new Parts();
    reader.feed(text, parts);
    reader.finish(false, parts);
    var arguments = new StringBuilder();
    var ended = 0;
    for (var part : parts.take()) {
      switch (part) {
        case Part.ToolCallStart _ -> arguments.setLength(0);
        case Part.ToolCallArguments(var _, var delta) -> arguments.append(delta);
        case Part.ToolCallEnd _ -> {
          ended++;
          Judge.assertValid(PARAMETERS, arguments.toString(), text);
        }
        default -> throw new AssertionError("more than calls: " + text);
      }
    }
    assertThat(ended).as(text).isPositive();
  }

  private static List<Tool> tools() {
    @SuppressWarnings("unchecked")
    Map<String, Object> parameters = JsonMapper.shared().readValue(PARAMETERS, Map.class);
    return List.of(new Tool("forecast", Optional.empty(), Optional.of(parameters), true));
  }

  private static Constraint calls(String format) {
    return ToolCallFormats.named(format)
        .orElseThrow()
        .constraint(tools(), new Constraint.ToolCalls(true, Optional.empty(), false));
  }

  private static List<Asked> requests(int count, int maxTokens) {
    var all = new ArrayList<Asked>();
    for (var i = 0; i < count; i++) {
      var constraint = CONSTRAINTS.get(i % CONSTRAINTS.size());
      all.add(new Asked(constraint, request("request-" + i, constraint, i, maxTokens)));
    }
    return all;
  }

  private static GenerationRequest request(
      String id, Constraint constraint, long seed, int maxTokens) {
    return new GenerationRequest(
        id,
        0,
        new Prompt.Text("Say something about number " + seed % 7 + ": ", false),
        new Sampling(1.5f, 1, 0, 0, 1, 0, 0, Map.of(), OptionalLong.of(seed)),
        new StopConditions(maxTokens, 0, List.of(), Set.of(), false),
        constraint,
        OptionalInt.empty(),
        Optional.empty(),
        0,
        "");
  }

  private static Constraint schema(String text) {
    return new Constraint.JsonSchema(text, true);
  }
}
