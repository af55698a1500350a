package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.util.Optional;
import java.util.function.Function;

/** From a prompt to ids. For any threads. */
public final class PromptEncoder {
  private final Tokenizer tokenizer;
  private final Optional<Function<Prompt.Chat, String>> template;

  /**
   * @param template renders a conversation, special tokens included; throws {@link EngineException}
   */
  public PromptEncoder(Tokenizer tokenizer, Optional<Function<Prompt.Chat, String>> template) {
    this.tokenizer = tokenizer;
    this.template = template;
  }

  /**
   * The ids of a prompt.
   *
   * @throws EngineException.InvalidRequest for a conversation that the template cannot render
   */
  int[] encode(Prompt prompt) {
    return switch (prompt) {
      case Prompt.Chat chat -> tokenizer.encode(render(chat), false);
      case Prompt.Text(var text, var addSpecialTokens) -> tokenizer.encode(text, addSpecialTokens);
      case Prompt.Tokens(var ids) -> ids.clone();
    };
  }

  private String render(Prompt.Chat chat) {
    return template
        .orElseThrow(
            () ->
                new EngineException.InvalidRequest(
                    "messages",
                    "this model has no chat template; send a prompt to the completions API"))
        .apply(chat);
  }
}
