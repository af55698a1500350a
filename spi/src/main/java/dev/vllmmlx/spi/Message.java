package dev.vllmmlx.spi;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * One message of a conversation. What a client did not send is absent, so that a template can tell.
 *
 * @param role {@code system}, {@code developer}, {@code user}, {@code assistant}, {@code tool}, or
 *     whatever else the template knows
 * @param content absent when the client sent none or null, as beside tool calls
 * @param reasoning what the model thought before it answered
 * @param toolCalls the calls that an assistant's message made
 * @param toolCallId the call that a tool's message answers
 * @param name the author's name, or the tool's
 */
public record Message(
    String role,
    Optional<Content> content,
    Optional<String> reasoning,
    List<ToolCall> toolCalls,
    Optional<String> toolCallId,
    Optional<String> name) {

  public Message {
    Objects.requireNonNull(role);
    Objects.requireNonNull(content);
    Objects.requireNonNull(reasoning);
    toolCalls = List.copyOf(toolCalls);
    Objects.requireNonNull(toolCallId);
    Objects.requireNonNull(name);
  }

  /** A message of plain text. */
  public static Message of(String role, String text) {
    return new Message(
        role,
        Optional.of(new Content.Plain(text)),
        Optional.empty(),
        List.of(),
        Optional.empty(),
        Optional.empty());
  }

  /** What it says, its parts a line each; empty where there is no content. */
  public String text() {
    return switch (content.orElse(null)) {
      case null -> "";
      case Content.Plain(var text) -> text;
      case Content.Parts(var parts) ->
          parts.stream()
              .map(
                  part ->
                      switch (part) {
                        case Part.Text(var text) -> text;
                      })
              .collect(Collectors.joining("\n"));
    };
  }

  /** What a message says. */
  public sealed interface Content {

    /** One string. */
    record Plain(String text) implements Content {
      public Plain {
        Objects.requireNonNull(text);
      }
    }

    /** Several parts, as the client cut them. */
    record Parts(List<Part> parts) implements Content {
      public Parts {
        parts = List.copyOf(parts);
      }
    }
  }

  /** A part of a message. Text is the one modality so far. */
  public sealed interface Part {

    /** Some text. */
    record Text(String text) implements Part {
      public Text {
        Objects.requireNonNull(text);
      }
    }
  }

  /**
   * A call of a function by the model.
   *
   * @param id by which a tool's message answers it
   * @param function the function's name
   * @param arguments a JSON text, as the client sent it or the model wrote it
   */
  public record ToolCall(String id, String function, String arguments) {
    public ToolCall {
      Objects.requireNonNull(id);
      Objects.requireNonNull(function);
      Objects.requireNonNull(arguments);
    }
  }
}
