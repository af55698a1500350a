package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.text.answer.AnswerFormat;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.util.Optional;
import java.util.function.Function;

/** From a prompt to ids. For any threads. */
public final class PromptEncoder {
  private final Tokenizer tokenizer;
  private final Optional<Function<Prompt.Chat, String>> template;
  private final AnswerFormat answers;

  /**
   * @param template renders a conversation, special tokens included; throws {@link EngineException}
   * @param answers how the model writes
   */
  public PromptEncoder(
      Tokenizer tokenizer, Optional<Function<Prompt.Chat, String>> template, AnswerFormat answers) {
    this.tokenizer = tokenizer;
    this.template = template;
    this.answers = answers;
  }

  /**
   * A prompt in ids.
   *
   * @param thinking whether the answer to it begins inside of the model's thinking
   */
  record Encoded(int[] ids, boolean thinking) {}

  /**
   * The ids of a prompt.
   *
   * @throws EngineException.InvalidRequest for a conversation that the template cannot render
   */
  Encoded encode(Prompt prompt) {
    return switch (prompt) {
      case Prompt.Chat chat -> {
        var text = render(chat);
        yield new Encoded(tokenizer.encode(text, false), answers.thinks(chat, text));
      }
      case Prompt.Text(var text, var addSpecialTokens) ->
          new Encoded(tokenizer.encode(text, addSpecialTokens), false);
      case Prompt.Tokens(var ids) -> new Encoded(ids.clone(), false);
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
