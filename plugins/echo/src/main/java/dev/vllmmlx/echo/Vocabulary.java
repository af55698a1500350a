package dev.vllmmlx.echo;

import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Prompt;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The engine's tokens: one for each Unicode code point, whose id it is, and one more that ends an
 * answer. So every text has one way into tokens, and every token its own text.
 */
final class Vocabulary {
  /** Ends an answer; has no text. */
  static final int END = Character.MAX_CODE_POINT + 1;

  static final int SIZE = END + 1;

  private static final Set<String> SAID = Set.of("user", "tool");

  private Vocabulary() {}

  /** The text of a prompt: of a chat, what its last user said, or a tool after that. */
  static String text(Prompt prompt) {
    return switch (prompt) {
      case Prompt.Text(var text, var _) -> text;
      case Prompt.Tokens(var ids) -> decode(ids);
      case Prompt.Chat chat ->
          chat.messages().reversed().stream()
              .filter(message -> SAID.contains(message.role()))
              .findFirst()
              .flatMap(Message::content)
              .map(Vocabulary::text)
              .orElse("");
    };
  }

  private static String text(Message.Content content) {
    return switch (content) {
      case Message.Content.Plain(var text) -> text;
      case Message.Content.Parts(var parts) ->
          parts.stream()
              .map(part -> ((Message.Part.Text) part).text())
              .collect(Collectors.joining());
    };
  }

  /** The ids of a prompt: all messages of a chat count, whoever wrote them. */
  static int[] encode(Prompt prompt) {
    return switch (prompt) {
      case Prompt.Tokens(var ids) -> {
        check(ids);
        yield ids.clone();
      }
      case Prompt.Text(var text, var _) -> encode(text);
      case Prompt.Chat chat ->
          encode(
              chat.messages().stream()
                  .flatMap(message -> message.content().stream())
                  .map(Vocabulary::text)
                  .collect(Collectors.joining("\n")));
    };
  }

  static int[] encode(String text) {
    return text.codePoints().toArray();
  }

  /**
   * @throws EngineException.InvalidRequest for an id that is none
   */
  static String decode(int[] ids) {
    check(ids);
    var text = new StringBuilder();
    for (var id : ids) {
      if (id != END) {
        text.appendCodePoint(id);
      }
    }
    return text.toString();
  }

  static byte[] bytes(int id) {
    return id == END ? new byte[0] : Character.toString(id).getBytes(StandardCharsets.UTF_8);
  }

  private static void check(int[] ids) {
    for (var id : ids) {
      if (id < 0 || id >= SIZE) {
        throw new EngineException.InvalidRequest(
            "prompt", "%d is no token id: they are from 0 to %d".formatted(id, SIZE - 1));
      }
    }
  }
}
