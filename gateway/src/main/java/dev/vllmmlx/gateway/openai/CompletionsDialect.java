package dev.vllmmlx.gateway.openai;

import dev.vllmmlx.gateway.pipeline.Answering;
import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import dev.vllmmlx.gateway.pipeline.Call;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.Prompt;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** {@code POST /v1/completions}. */
public final class CompletionsDialect implements Dialect {
  private static final int MOST_PROMPTS = 128;

  @Override
  public Decoded decode(JsonNode body, Engine engine, Defaults defaults, String requestId) {
    var fields = new Fields(body, "");
    var shared = new GenerationFields(fields, engine.model());
    var prompts = prompts(fields, shared);
    var stream = shared.stream();
    var echo = fields.flag("echo", false);
    var topLogprobs = shared.topLogprobs("logprobs");
    if (echo && topLogprobs.isPresent()) {
      throw new ApiException(
          ApiError.unsupported("logprobs", "logprobs together with echo is not supported here"));
    }
    var wanted = ConstraintFields.read(fields);
    shared.settleTheRest();
    fields.refuseUnless("suffix", "", value -> value.isString() && value.stringValue().isEmpty());
    fields.refuse("prompt_embeds", "tools", "tool_choice");
    var call =
        new Call(
            "prompt",
            prompts,
            shared.choices(),
            shared.sampling(),
            shared.stop(fields.integer("max_tokens", 1, Integer.MAX_VALUE), defaults.maxTokens()),
            topLogprobs,
            Answering.ofText(wanted.constraint(), wanted.field()),
            stream,
            shared.includeUsage(stream),
            echo,
            shared.timeout(defaults.timeout()),
            shared.priority(),
            fields.unknown());
    var echoes = echo ? echoes(prompts, engine) : List.<String>of();
    return new Decoded(
        call,
        "cmpl",
        head -> new CompletionsEncoder(head, echoes, topLogprobs, call.includeUsage()));
  }

  private static List<Prompt> prompts(Fields fields, GenerationFields shared) {
    var node = fields.node("prompt").orElseThrow(() -> fields.missing("prompt"));
    if (node.isString()) {
      return List.of(new Prompt.Text(node.stringValue(), true));
    }
    if (!node.isArray()) {
      throw fields.wrongType("prompt", "a string, token ids, or a list of either", node);
    }
    if (node.isEmpty()) {
      throw fields.invalid("prompt", "is empty");
    }
    if (node.get(0).isNumber()) {
      return List.of(tokens(fields, shared, node));
    }
    if (node.size() > MOST_PROMPTS) {
      throw fields.invalid(
          "prompt", "holds %d prompts, and at most %d work".formatted(node.size(), MOST_PROMPTS));
    }
    var prompts = new ArrayList<Prompt>();
    for (var item : node) {
      if (item.isString()) {
        prompts.add(new Prompt.Text(item.stringValue(), true));
      } else if (item.isArray()) {
        prompts.add(tokens(fields, shared, item));
      } else {
        throw fields.wrongType("prompt", "a string, token ids, or a list of either", item);
      }
    }
    return prompts;
  }

  private static Prompt tokens(Fields fields, GenerationFields shared, JsonNode list) {
    if (list.isEmpty()) {
      throw fields.invalid("prompt", "holds an empty list of token ids");
    }
    var ids = new int[list.size()];
    for (var i = 0; i < ids.length; i++) {
      ids[i] = shared.tokenId("prompt", list.get(i));
    }
    return new Prompt.Tokens(ids);
  }

  private static List<String> echoes(List<Prompt> prompts, Engine engine) {
    var echoes = new ArrayList<String>();
    for (var prompt : prompts) {
      switch (prompt) {
        case Prompt.Text text -> echoes.add(text.text());
        case Prompt.Tokens tokens -> {
          try {
            echoes.add(engine.detokenize(tokens.ids()));
          } catch (EngineException e) {
            throw new ApiException(ApiError.of(e, "prompt"));
          }
        }
        case Prompt.Chat _ -> throw new IllegalStateException("completions have no chats");
      }
    }
    return echoes;
  }
}
