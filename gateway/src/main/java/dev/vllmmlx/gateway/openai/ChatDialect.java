package dev.vllmmlx.gateway.openai;

import dev.vllmmlx.gateway.pipeline.Call;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.Prompt;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;

/** {@code POST /v1/chat/completions}. */
public final class ChatDialect implements Dialect {

  @Override
  public Decoded decode(JsonNode body, Engine engine, Defaults defaults) {
    var fields = new Fields(body, "");
    var model = engine.model();
    var shared = new GenerationFields(fields, model);
    var prompt =
        new Prompt.Chat(
            ChatMessages.read(fields), List.of(), templateArguments(fields), continueLast(fields));
    var stream = shared.stream();
    shared.settleTheRest();
    refuseWhatIsNotDone(fields);
    var call =
        new Call(
            "messages",
            List.of(prompt),
            shared.choices(),
            shared.sampling(),
            shared.stop(maxTokens(fields), defaults.maxTokens()),
            topLogprobs(fields, shared),
            stream,
            shared.includeUsage(stream),
            false,
            shared.timeout(defaults.timeout()),
            shared.priority(),
            fields.unknown());
    return new Decoded(
        call, "chatcmpl", head -> new ChatEncoder(head, call.topLogprobs(), call.includeUsage()));
  }

  private static OptionalInt maxTokens(Fields fields) {
    var old = fields.integer("max_tokens", 1, Integer.MAX_VALUE);
    var current = fields.integer("max_completion_tokens", 1, Integer.MAX_VALUE);
    if (old.isPresent() && current.isPresent() && old.getAsInt() != current.getAsInt()) {
      throw fields.invalid(
          "max_completion_tokens",
          "is %d and max_tokens is %d: give one".formatted(current.getAsInt(), old.getAsInt()));
    }
    return current.isPresent() ? current : old;
  }

  private static OptionalInt topLogprobs(Fields fields, GenerationFields shared) {
    var wanted = fields.flag("logprobs", false);
    var top = shared.topLogprobs("top_logprobs");
    if (top.isPresent() && top.getAsInt() > 0 && !wanted) {
      throw fields.invalid("top_logprobs", "needs logprobs to be true");
    }
    return wanted ? OptionalInt.of(top.orElse(0)) : OptionalInt.empty();
  }

  private static Map<String, Object> templateArguments(Fields fields) {
    return fields
        .node("chat_template_kwargs")
        .map(
            node -> {
              if (!node.isObject()) {
                throw fields.wrongType("chat_template_kwargs", "an object", node);
              }
              return JsonValues.object(node);
            })
        .orElse(Map.of());
  }

  private static boolean continueLast(Fields fields) {
    var continues = fields.flag("continue_final_message", false);
    var answers = fields.flag("add_generation_prompt", !continues);
    if (continues == answers) {
      throw fields.invalid(
          continues ? "continue_final_message" : "add_generation_prompt",
          continues
              ? "and add_generation_prompt cannot both be true"
              : "may be false only if continue_final_message is true");
    }
    return continues;
  }

  private static void refuseWhatIsNotDone(Fields fields) {
    fields.refuse("tools", "functions", "function_call", "audio", "prediction");
    fields.refuse("web_search_options", "moderation", "reasoning", "documents", "chat_template");
    fields.refuse("mcp");
    fields.refuseUnless("reasoning_effort", "", _ -> false);
    fields.refuseUnless("verbosity", "", _ -> false);
    fields.refuseUnless(
        "tool_choice",
        " unless none",
        value ->
            value.isString()
                && (value.stringValue().equals("none") || value.stringValue().equals("auto")));
    // Says something about tool calls, and there are none.
    fields.refuseUnless("parallel_tool_calls", "", JsonNode::isBoolean);
    fields.refuseUnless(
        "response_format",
        " unless its type is text",
        value -> value.isObject() && "text".equals(value.path("type").asString("")));
    fields.refuseUnless(
        "modalities",
        " unless [\"text\"]",
        value -> value.isArray() && value.size() == 1 && "text".equals(value.get(0).asString("")));
    fields.refuseUnless("echo", " in chats unless false", GenerationFields::isFalse);
  }
}
