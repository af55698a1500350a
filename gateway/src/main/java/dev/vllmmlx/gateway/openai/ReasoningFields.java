package dev.vllmmlx.gateway.openai;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import dev.vllmmlx.spi.ModelInfo;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The fields that say whether and how much a model thinks before it answers, under the names of
 * OpenAI, vLLM and Anthropic.
 *
 * @param templateArguments for the model's chat template
 * @param thinkingTokens the most that it may think; empty for no limit
 */
record ReasoningFields(Map<String, Object> templateArguments, OptionalInt thinkingTokens) {
  private static final Set<String> EFFORTS =
      Set.of("none", "minimal", "low", "medium", "high", "xhigh");

  static ReasoningFields read(Fields fields, ModelInfo model) {
    var reader = new Reader(fields, model);
    return new ReasoningFields(reader.arguments(), reader.budget());
  }

  private static final class Reader {
    private final Fields fields;
    private final boolean thinks;
    private final Map<String, Object> arguments = new LinkedHashMap<>();
    private OptionalInt budget = OptionalInt.empty();

    Reader(Fields fields, ModelInfo model) {
      this.fields = fields;
      this.thinks = model.template().reasoning() || model.template().reasoningFormat().isPresent();
    }

    Map<String, Object> arguments() {
      if (fields.has("enable_thinking")) {
        thinking("enable_thinking", fields.flag("enable_thinking", true));
      }
      fields.text("reasoning_effort").ifPresent(effort -> effort("reasoning_effort", effort));
      fields
          .object("reasoning")
          .flatMap(reasoning -> reasoning.text("effort"))
          .ifPresent(effort -> effort("reasoning", effort));
      fields
          .object("thinking")
          .ifPresent(
              thinking -> {
                thinking("thinking", !thinking.text("type").orElse("").equals("disabled"));
                budget = budget(thinking, "budget_tokens");
              });
      fields
          .node("chat_template_kwargs")
          .ifPresent(
              node -> {
                if (!node.isObject()) {
                  throw fields.wrongType("chat_template_kwargs", "an object", node);
                }
                arguments.putAll(JsonValues.object(node));
              });
      return arguments;
    }

    OptionalInt budget() {
      var own = budget(fields, "thinking_token_budget");
      return own.isPresent() ? own : budget;
    }

    private OptionalInt budget(Fields of, String name) {
      var tokens = of.integer(name, 0, Integer.MAX_VALUE);
      if (tokens.isPresent() && !thinks) {
        throw noThinking(of.path(name));
      }
      return tokens;
    }

    private void effort(String field, String effort) {
      if (!EFFORTS.contains(effort)) {
        throw fields.invalid(
            field,
            "is \"%s\", and must be none, minimal, low, medium, high or xhigh".formatted(effort));
      }
      if (effort.equals("none")) {
        thinking(field, false);
      } else {
        thinking(field, true);
        arguments.put("reasoning_effort", effort);
      }
    }

    /** A model that cannot think does not, and need not be told. */
    private void thinking(String field, boolean on) {
      if (on && !thinks) {
        throw noThinking(fields.path(field));
      }
      if (thinks) {
        arguments.put("enable_thinking", on);
        arguments.put("thinking", on);
      }
    }

    private static ApiException noThinking(String field) {
      return new ApiException(
          ApiError.unsupported(field, field + " has no effect: this model does not think aloud"));
    }
  }
}
