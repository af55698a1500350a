package dev.vllmmlx.mcp.connection;

import io.modelcontextprotocol.json.McpJsonMapper;
import io.modelcontextprotocol.spec.McpSchema;
import io.modelcontextprotocol.spec.McpSchema.CallToolResult;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A call's content as one text, since text is what models read here: pictures and sounds become
 * notes. Structured content is said where there is no text: servers are to say it as text, too, for
 * clients that do not know it.
 */
record ContentText(McpJsonMapper json) {

  ToolReply of(CallToolResult result) {
    var parts = new ArrayList<String>();
    var content = result.content() == null ? List.<McpSchema.Content>of() : result.content();
    content.forEach(part -> parts.add(text(part)));
    var structured = Optional.ofNullable(result.structuredContent());
    structured
        .filter(_ -> parts.stream().allMatch(String::isBlank))
        .ifPresent(value -> parts.add(write(value)));
    return new ToolReply(
        String.join("\n", parts), structured, Boolean.TRUE.equals(result.isError()));
  }

  private static String text(McpSchema.Content part) {
    return switch (part) {
      case McpSchema.TextContent text -> orEmpty(text.text());
      case McpSchema.ImageContent image -> note("image", image.mimeType(), image.data());
      case McpSchema.AudioContent audio -> note("audio", audio.mimeType(), audio.data());
      case McpSchema.EmbeddedResource embedded ->
          switch (embedded.resource()) {
            case McpSchema.TextResourceContents text -> orEmpty(text.text());
            case McpSchema.BlobResourceContents blob ->
                note("resource " + blob.uri(), blob.mimeType(), blob.blob());
            default -> "[a resource of a kind that is not known]";
          };
      case McpSchema.ResourceLink link -> "[resource %s: %s]".formatted(link.name(), link.uri());
      default -> "[content of a kind that is not known: %s]".formatted(part.type());
    };
  }

  private static String note(String what, String type, String base64) {
    return "[%s%s, %d bytes, not shown]"
        .formatted(what, type == null ? "" : " " + type, orEmpty(base64).length() / 4L * 3);
  }

  private static String orEmpty(String text) {
    return text == null ? "" : text;
  }

  private String write(Object value) {
    try {
      return json.writeValueAsString(value);
    } catch (IOException e) {
      throw new IllegalStateException("what was read as JSON cannot be written", e);
    }
  }
}
