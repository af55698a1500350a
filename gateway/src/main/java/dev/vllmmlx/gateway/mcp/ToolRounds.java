package dev.vllmmlx.gateway.mcp;

import dev.vllmmlx.mcp.ToolSession;
import dev.vllmmlx.mcp.connection.ProgressListener;
import dev.vllmmlx.mcp.tool.McpTool;
import dev.vllmmlx.spi.Message;
import dev.vllmmlx.spi.Prompt;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * The rounds of one choice: what the model has called is run, and its results go behind the
 * conversation, as messages of tools and of nobody else. Only what the request's session holds is
 * ever run. To be used by one thread at a time; tools run on virtual threads of their own.
 *
 * <p>In a round that calls tools of the client's, too, those that are run here come first: the
 * client's calls are dropped and the model, which sees the results, may make them again. A client
 * could not carry results that it never saw into its next request.
 */
public final class ToolRounds {
  private static final Executor EACH_ITS_OWN = Thread::startVirtualThread;

  private final ToolSession session;
  private final Consumer<McpEvent> events;
  private Prompt.Chat conversation;
  private int round;

  /**
   * @param conversation the client's, with the tools of the session among its tools
   * @param events told of every call, by the thread that runs it
   */
  public ToolRounds(ToolSession session, Prompt.Chat conversation, Consumer<McpEvent> events) {
    this.session = session;
    this.conversation = conversation;
    this.events = events;
  }

  /** What the model said in a round. */
  public record Answer(String content, String reasoning, List<Message.ToolCall> calls) {
    public Answer {
      calls = List.copyOf(calls);
    }
  }

  /** The calls of an answer that would be run here, in its order. */
  public List<Message.ToolCall> ours(Answer answer) {
    return answer.calls().stream().filter(call -> tool(call).isPresent()).toList();
  }

  /** Whether calls of this function are run here. */
  public boolean isOurs(String function) {
    return session.find(function).filter(McpTool::runsUnasked).isPresent();
  }

  /** Whether as many rounds have been run as one chat may have. */
  public boolean isLast() {
    return round >= session.maxRounds();
  }

  /**
   * Runs the calls of an answer that are run here, all at once.
   *
   * @param answer of which {@link #ours} is not empty
   * @return completes, on some thread, with the conversation to go on from; its last round has no
   *     tools of ours any more, so that the model answers. Never fails but for faults
   */
  public CompletableFuture<Prompt.Chat> run(Answer answer) {
    round++;
    var calls = ours(answer);
    var running =
        calls.stream()
            .map(call -> CompletableFuture.supplyAsync(() -> run(call), EACH_ITS_OWN))
            .toList();
    return CompletableFuture.allOf(running.toArray(CompletableFuture[]::new))
        .thenApply(
            _ -> {
              var messages = new ArrayList<>(conversation.messages());
              messages.add(said(answer, calls));
              running.forEach(result -> messages.add(result.join()));
              conversation = with(messages);
              return conversation;
            });
  }

  private Message run(Message.ToolCall call) {
    var tool = tool(call).orElseThrow();
    var at = round;
    events.accept(new McpEvent.Called(at, call, tool));
    ProgressListener listener =
        progress -> events.accept(new McpEvent.Progressed(at, call, progress));
    var began = System.nanoTime();
    var outcome = session.call(tool, call.arguments(), listener);
    var took = Duration.ofNanos(System.nanoTime() - began);
    events.accept(new McpEvent.Ended(at, call, tool, outcome, took));
    return new Message(
        "tool",
        Optional.of(new Message.Content.Plain(outcome.text())),
        Optional.empty(),
        List.of(),
        Optional.of(call.id()),
        Optional.of(call.function()));
  }

  private Optional<McpTool> tool(Message.ToolCall call) {
    return session.find(call.function()).filter(McpTool::runsUnasked);
  }

  private static Message said(Answer answer, List<Message.ToolCall> calls) {
    return new Message(
        "assistant",
        Optional.of(answer.content())
            .filter(text -> !text.isBlank())
            .map(Message.Content.Plain::new),
        Optional.of(answer.reasoning()).filter(text -> !text.isBlank()),
        calls,
        Optional.empty(),
        Optional.empty());
  }

  private Prompt.Chat with(List<Message> messages) {
    var tools =
        isLast()
            ? conversation.tools().stream().filter(tool -> !isOurs(tool.name())).toList()
            : conversation.tools();
    return new Prompt.Chat(messages, tools, conversation.templateArguments(), false);
  }
}
