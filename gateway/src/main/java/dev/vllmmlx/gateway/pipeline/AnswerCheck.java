package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import dev.vllmmlx.text.schema.SchemaCheck;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/**
 * The check of a finished answer against the schemas that are not strict: an engine may have left
 * keywords of theirs out of its masks.
 *
 * @param content the schema of the answer's text; empty where there is none, or a strict one
 * @param field the request's field that the schema came in
 * @param arguments the schemas of calls' arguments by function, but for strict ones
 */
public record AnswerCheck(
    Optional<SchemaCheck> content, String field, Map<String, SchemaCheck> arguments) {
  private static final JsonMapper JSON = JsonMapper.shared();

  /** Of answers that need none. */
  public static final AnswerCheck NONE = new AnswerCheck(Optional.empty(), "", Map.of());

  public AnswerCheck {
    arguments = Map.copyOf(arguments);
  }

  /**
   * Something about an answer that its reader should know.
   *
   * @param field of the request
   * @param place in the answer
   */
  public record Warning(String field, String place, SchemaCheck.Misfit misfit) {}

  /**
   * @param constraint what the text must be
   * @param field where that came from
   */
  public static AnswerCheck of(Constraint constraint, String field, List<Tool> tools) {
    var arguments = new HashMap<String, SchemaCheck>();
    for (var tool : tools) {
      if (!tool.strict()) {
        tool.parameters()
            .map(JSON::writeValueAsString)
            .ifPresent(schema -> arguments.put(tool.name(), SchemaCheck.of(schema)));
      }
    }
    var content =
        constraint instanceof Constraint.JsonSchema(var schema, var strict, var _) && !strict
            ? Optional.of(SchemaCheck.of(schema))
            : Optional.<SchemaCheck>empty();
    return new AnswerCheck(content, field, arguments);
  }

  /** Whether there is anything to check. */
  boolean isNeeded() {
    return content.isPresent() || !arguments.isEmpty();
  }

  Stream<Warning> content(String text) {
    return content.stream()
        .flatMap(check -> check.check(text).stream())
        .map(misfit -> new Warning(field, "content", misfit));
  }

  Stream<Warning> arguments(int call, String function, String text) {
    return Optional.ofNullable(arguments.get(function)).stream()
        .flatMap(check -> check.check(text).stream())
        .map(
            misfit ->
                new Warning("tools", "tool_calls[%d].function.arguments".formatted(call), misfit));
  }
}
