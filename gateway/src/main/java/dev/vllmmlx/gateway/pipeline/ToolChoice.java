package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.gateway.mcp.McpEvent;
import dev.vllmmlx.gateway.mcp.ToolRounds;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Prompt;
import dev.vllmmlx.text.parts.Part;
import dev.vllmmlx.text.parts.Parts;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A choice whose calls may be run here. Calls are held back until the round is over, since those of
 * the client's tools are its business only if none is ours. Confined to the call's event loop.
 */
final class ToolChoice {
  private final CallTools tools;
  private final ToolRounds rounds;
  private Prompt.Chat prompt;
  private final StringBuilder content = new StringBuilder();
  private final StringBuilder reasoning = new StringBuilder();
  private final List<Called> calls = new ArrayList<>();

  /** A call whose arguments may still come. */
  private static final class Called {
    private final String id;
    private final String name;
    private final StringBuilder arguments = new StringBuilder();
    private boolean whole;

    Called(String id, String name) {
      this.id = id;
      this.name = name;
    }
  }

  /**
   * @param events told of every call that is run, by the thread that runs it
   */
  ToolChoice(CallTools tools, Prompt.Chat prompt, Consumer<McpEvent> events) {
    this.tools = tools;
    this.prompt = prompt;
    this.rounds = new ToolRounds(tools.session(), prompt, events);
  }

  /** What the model is given in the round under way. */
  Prompt.Chat prompt() {
    return prompt;
  }

  /** What its answer must be, in any round but the first. */
  Constraint constraint() {
    return tools.later(prompt.tools());
  }

  /** Takes note of what the model says, and hands on all but calls. */
  void read(List<Part> said, Parts out) {
    for (var part : said) {
      switch (part) {
        case Part.Content(var text) -> {
          content.append(text);
          out.content(text);
        }
        case Part.Reasoning(var text) -> {
          reasoning.append(text);
          out.reasoning(text);
        }
        case Part.ToolCallStart(var _, var name, var id) ->
            calls.add(new Called(id.orElseGet(ToolChoice::newId), name));
        case Part.ToolCallArguments(var index, var delta) ->
            calls.get(index).arguments.append(delta);
        case Part.ToolCallEnd(var index) -> calls.get(index).whole = true;
      }
    }
  }

  /** Whether there is anything to run here in the answer that has just ended. */
  boolean hasCalls() {
    return !rounds.isLast() && !rounds.ours(answer()).isEmpty();
  }

  /**
   * Runs that; to be called only if there is any.
   *
   * @return completes on some thread
   */
  CompletableFuture<Prompt.Chat> run() {
    return rounds.run(answer());
  }

  private ToolRounds.Answer answer() {
    return new ToolRounds.Answer(
        content.toString(),
        reasoning.toString(),
        calls.stream()
            .filter(call -> call.whole)
            .map(call -> new Message.ToolCall(call.id, call.name, call.arguments.toString()))
            .toList());
  }

  /** Goes on with a further round. */
  void goOn(Prompt.Chat longer) {
    prompt = longer;
    content.setLength(0);
    reasoning.setLength(0);
    calls.clear();
  }

  /** The client's calls, which were held back; one of ours that was cut is nobody's. */
  void release(Parts out) {
    var theirs = calls.stream().filter(call -> !rounds.isOurs(call.name)).toList();
    for (var index = 0; index < theirs.size(); index++) {
      var call = theirs.get(index);
      out.add(new Part.ToolCallStart(index, call.name, Optional.of(call.id)));
      out.arguments(index, call.arguments);
      if (call.whole) {
        out.add(new Part.ToolCallEnd(index));
      }
    }
    calls.clear();
  }

  private static String newId() {
    return "call_" + UUID.randomUUID().toString().replace("-", "").substring(0, 24);
  }
}
