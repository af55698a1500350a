package dev.vllmmlx.mcp;

import dev.vllmmlx.mcp.connection.ProgressListener;
import dev.vllmmlx.mcp.tool.Cancellation;
import dev.vllmmlx.mcp.tool.McpTool;
import dev.vllmmlx.mcp.tool.ToolCatalogue;
import dev.vllmmlx.mcp.tool.ToolOutcome;
import dev.vllmmlx.mcp.tool.ToolRunner;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The tools of one request, from its first round to its last: what they are does not change
 * meanwhile, whatever servers do. Closing it cancels the calls that still run. For any thread.
 */
public final class ToolSession implements AutoCloseable {
  private final String request;
  private final ToolCatalogue tools;
  private final ToolRunner runner;
  private final int mostCalls;
  private final int maxRounds;
  private final long deadline;
  private final Cancellation cancellation = new Cancellation();
  private final AtomicInteger calls = new AtomicInteger();

  ToolSession(
      String request,
      ToolCatalogue tools,
      ToolRunner runner,
      int mostCalls,
      int maxRounds,
      Duration left) {
    this.request = request;
    this.tools = tools;
    this.runner = runner;
    this.mostCalls = mostCalls;
    this.maxRounds = maxRounds;
    this.deadline = System.nanoTime() + left.toNanos();
  }

  /** What the model is shown, beside the client's own tools. */
  public List<McpTool> tools() {
    return tools.tools();
  }

  /** The tool that a model's call means, if it is one of these. */
  public Optional<McpTool> find(String name) {
    return tools.find(name);
  }

  /** How often the chat may go back to the model with results. */
  public int maxRounds() {
    return maxRounds;
  }

  /** Of the request; may be cancelled by whoever sees its client leave. */
  public Cancellation cancellation() {
    return cancellation;
  }

  /**
   * Runs a call and returns when it is over; several may run at once. Waits: call it on a virtual
   * thread.
   *
   * @param tool one of {@link #tools}
   * @param arguments a JSON text, as the model wrote it
   */
  public ToolOutcome call(McpTool tool, String arguments, ProgressListener progress) {
    if (calls.incrementAndGet() > mostCalls) {
      return runner.refuse(
          tool,
          arguments,
          request,
          "more than %d calls of tools in one request are not allowed here".formatted(mostCalls));
    }
    var left = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
    return runner.call(
        tool, arguments, new ToolRunner.Terms(request, left, cancellation, progress));
  }

  @Override
  public void close() {
    cancellation.cancel();
  }
}
