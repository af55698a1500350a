package dev.vllmmlx.mcp.tool;

import dev.vllmmlx.mcp.connection.ToolReply;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;

/**
 * How much of a result is handed on.
 *
 * @param mostChars of text, and of structured content written as JSON
 */
record ResultLimit(int mostChars) {

  /** The result, cut with a note where it is too long. */
  ToolOutcome.Result of(ToolReply reply) {
    var text = reply.text();
    var cut = text.length() > mostChars;
    return new ToolOutcome.Result(
        cut
            ? "%s%n[cut: the first %d of %d characters]"
                .formatted(start(text), mostChars, text.length())
                .replace("\r\n", "\n")
            : text,
        structured(reply),
        reply.isError(),
        cut);
  }

  // Never half a character.
  private String start(String text) {
    var end = Character.isHighSurrogate(text.charAt(mostChars - 1)) ? mostChars - 1 : mostChars;
    return text.substring(0, end);
  }

  private Optional<Object> structured(ToolReply reply) {
    return reply
        .structured()
        .filter(value -> JsonMapper.shared().writeValueAsString(value).length() <= mostChars);
  }
}
