package dev.vllmmlx.mcp.connection;

import java.util.Objects;
import java.util.Optional;

/**
 * What a server answered to a call.
 *
 * @param text all content as text; what is no text is named in brackets
 * @param structured the structured content as plain values of JSON's types
 * @param isError whether the tool says that it failed
 */
public record ToolReply(String text, Optional<Object> structured, boolean isError) {
  public ToolReply {
    Objects.requireNonNull(text);
    Objects.requireNonNull(structured);
  }
}
