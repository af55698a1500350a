package dev.vllmmlx.spi;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What a generation goes on from. */
public sealed interface Prompt {

  /**
   * A conversation, for the model's own chat template.
   *
   * @param messages in order, at least one
   * @param tools what the model may call
   * @param templateArguments further variables of the template, of JSON's types: {@code
   *     enable_thinking}, {@code documents}
   * @param continueLast whether the last message is to be continued rather than answered
   */
  record Chat(
      List<Message> messages,
      List<Tool> tools,
      Map<String, Object> templateArguments,
      boolean continueLast)
      implements Prompt {
    public Chat {
      messages = List.copyOf(messages);
      tools = List.copyOf(tools);
      templateArguments = JsonValues.copy(templateArguments);
    }
  }

  /**
   * Plain text.
   *
   * @param text what to continue
   * @param addSpecialTokens whether the tokens that the tokenizer puts around a text are added
   */
  record Text(String text, boolean addSpecialTokens) implements Prompt {
    public Text {
      Objects.requireNonNull(text);
    }
  }

  /** Ids as they are, nothing added. The array is the prompt's own and must not be changed. */
  record Tokens(int[] ids) implements Prompt {
    public Tokens {
      ids = ids.clone();
    }
  }
}
