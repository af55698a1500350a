package dev.vllmmlx.gateway.openai;

import dev.vllmmlx.gateway.mcp.McpTools;
import dev.vllmmlx.gateway.pipeline.AnswerCheck;
import dev.vllmmlx.gateway.pipeline.Answering;
import dev.vllmmlx.gateway.pipeline.Call;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.text.answer.AnswerFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;

/** {@code POST /v1/chat/completions}. */
public final class ChatDialect implements Dialect {
  private final Optional<McpTools> mcp;

  /**
   * @param mcp the tools of MCP servers, if there are any
   */
  public ChatDialect(Optional<McpTools> mcp) {
    this.mcp = mcp;
  }

  @Override
  public Decoded decode(JsonNode body, Engine engine, Defaults defaults, String requestId) {
    var fields = new Fields(body, "");
    var model = engine.model();
    var shared = new GenerationFields(fields, model);
    var timeout = shared.timeout(defaults.timeout());
    var tools = ToolFields.read(fields, model, new McpFields(mcp, requestId, timeout));
    var wanted = ConstraintFields.read(fields);
    var reasoning = ReasoningFields.read(fields, model);
    var prompt =
        new Prompt.Chat(
            ChatMessages.read(fields),
            tools.tools(),
            reasoning.templateArguments(),
            continueLast(fields));
    var answering =
        new Answering(
            tools.constraint(wanted.constraint()),
            wanted.field().isEmpty() && tools.calls().isPresent() ? "tools" : wanted.field(),
            reasoning.thinkingTokens(),
            AnswerFormat.named(
                model.template().reasoningFormat(), model.template().toolCallFormat()),
            tools.tools(),
            AnswerCheck.of(wanted.constraint(), wanted.field(), tools.tools()),
            tools.runHere(wanted.constraint()));
    var stream = shared.stream();
    var stop = shared.stop(maxTokens(fields), defaults.maxTokens());
    shared.checkEnds(stop, answering.constraint());
    shared.settleTheRest();
    refuseWhatIsNotDone(fields);
    var call =
        new Call(
            "messages",
            List.of(prompt),
            shared.choices(),
            shared.sampling(),
            stop,
            topLogprobs(fields, shared),
            answering,
            stream,
            shared.includeUsage(stream),
            false,
            timeout,
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
    fields.refuse("audio", "prediction");
    fields.refuse("web_search_options", "moderation", "documents", "chat_template");
    fields.refuseUnless("verbosity", "", _ -> false);
    fields.refuseUnless(
        "modalities",
        " unless [\"text\"]",
        value -> value.isArray() && value.size() == 1 && "text".equals(value.get(0).asString("")));
    fields.refuseUnless("echo", " in chats unless false", GenerationFields::isFalse);
  }
}
