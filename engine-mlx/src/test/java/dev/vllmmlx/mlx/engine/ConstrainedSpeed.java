package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Constraint.JsonWhitespace;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What a constraint costs, in one run on the default model: tokens/s of free text, of text that a
 * schema admits everywhere, and of JSON with long fixed keys with and without taking forced tokens
 * together. {@code ConstrainedSpeed [ROUNDS]}.
 */
public final class ConstrainedSpeed {
  private static final int TOKENS = 150;

  private static final Constraint LONG_TEXT =
      new Constraint.JsonSchema(
          """
          {"type": "object", "properties": {"story": {"type": "string", "minLength": 5000}},
           "required": ["story"], "additionalProperties": false}
          """,
          true,
          JsonWhitespace.COMPACT);

  private static final Constraint FIXED_KEYS =
      new Constraint.JsonSchema(
          """
          {"type": "array", "minItems": 40, "maxItems": 40, "items": {"type": "object",
           "properties": {"the_first_long_property_name": {"type": "boolean"},
           "another_rather_long_property_name": {"enum": ["left", "right"]}},
           "required": ["the_first_long_property_name", "another_rather_long_property_name"],
           "additionalProperties": false}}
          """,
          true,
          JsonWhitespace.COMPACT);

  private ConstrainedSpeed() {}

  public static void main(String[] args) throws Exception {
    var rounds = args.length > 0 ? Integer.parseInt(args[0]) : 5;
    var provider = new SimpleEngineProvider();
    try (var engine = provider.open(EngineDefaults.context(provider, Optional.empty(), Map.of()))) {
      for (var round = 0; round < rounds; round++) {
        System.out.printf(
            "free %.1f  schema %.1f  fixed keys %.1f  fixed keys, each token scored %.1f tokens/s%n",
            speed(engine, new Constraint.None(), false),
            speed(engine, LONG_TEXT, false),
            speed(engine, FIXED_KEYS, false),
            speed(engine, FIXED_KEYS, true));
      }
    }
  }

  /** Of the answer's tokens behind the first. */
  private static double speed(Engine engine, Constraint constraint, boolean logprobs)
      throws InterruptedException {
    var heard = new Heard();
    engine.generate(
        new GenerationRequest(
            "speed",
            0,
            new Prompt.Text("Once upon a time", false),
            new Sampling(0.8f, 1, 0, 0, 1, 0, 0, Map.of(), OptionalLong.of(1)),
            new StopConditions(
                TOKENS, 0, List.of(), Set.of(), constraint instanceof Constraint.None),
            constraint,
            logprobs ? OptionalInt.of(0) : OptionalInt.empty(),
            Optional.empty(),
            0,
            ""),
        heard);
    var finished = heard.awaitEnd().finished();
    var tokens = finished.usage().completionTokens() - 1;
    return tokens / (finished.timings().decode().toNanos() / 1e9);
  }
}
