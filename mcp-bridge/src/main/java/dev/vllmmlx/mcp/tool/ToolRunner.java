package dev.vllmmlx.mcp.tool;

import dev.vllmmlx.mcp.config.McpConfig;
import dev.vllmmlx.mcp.connection.ConnectionException;
import dev.vllmmlx.mcp.connection.McpServer;
import dev.vllmmlx.mcp.connection.ProgressListener;
import dev.vllmmlx.mcp.connection.ToolReply;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs calls as the policy allows. Whatever goes wrong is an outcome, never an exception. For any
 * thread; a call waits for its tool, so it belongs on a virtual one.
 */
public final class ToolRunner {
  private static final Logger LOG = LoggerFactory.getLogger(ToolRunner.class);

  private final McpConfig config;
  private final Map<String, McpServer> servers;
  private final List<CallListener> listeners;
  private final RateLimit rate;
  private final ResultLimit limit;

  /**
   * @param servers by their keys in the configuration
   * @param listeners told of each call
   */
  public ToolRunner(
      McpConfig config, Map<String, McpServer> servers, List<CallListener> listeners) {
    this.config = config;
    this.servers = Map.copyOf(servers);
    this.listeners = List.copyOf(listeners);
    this.rate = new RateLimit(config.policy().callsPerMinute(), System::nanoTime);
    this.limit = new ResultLimit(config.policy().maxResultChars());
  }

  /**
   * A call that a request makes.
   *
   * @param request the request's id, for the log
   * @param left what the request has left of its time; the tool's own limit holds besides
   * @param cancellation of the request
   * @param progress told how far the tool is
   */
  public record Terms(
      String request, Duration left, Cancellation cancellation, ProgressListener progress) {}

  /**
   * Checks and runs a call, and returns when it is over.
   *
   * @param arguments a JSON text, as the model wrote it
   */
  public ToolOutcome call(McpTool tool, String arguments, Terms terms) {
    return told(tool, arguments, terms.request(), () -> run(tool, arguments, terms));
  }

  /** Tells of a call that is refused before it gets here. */
  public ToolOutcome refuse(McpTool tool, String arguments, String request, String reason) {
    return told(tool, arguments, request, () -> new ToolOutcome.Refused(reason));
  }

  private ToolOutcome told(
      McpTool tool,
      String arguments,
      String request,
      java.util.function.Supplier<ToolOutcome> call) {
    var began = System.nanoTime();
    var outcome = call.get();
    var took = Duration.ofNanos(System.nanoTime() - began);
    for (var listener : listeners) {
      try {
        listener.called(request, tool, arguments, outcome, took);
      } catch (RuntimeException e) {
        LOG.warn("a listener of calls failed", e);
      }
    }
    return outcome;
  }

  private ToolOutcome run(McpTool tool, String arguments, Terms terms) {
    if (terms.cancellation().isCancelled()) {
      return new ToolOutcome.Cancelled();
    }
    Map<String, Object> values;
    try {
      values = ArgumentCheck.read(arguments, tool);
    } catch (ArgumentCheck.Unfit e) {
      return new ToolOutcome.Refused(e.getMessage());
    }
    if (!rate.tryCall()) {
      return new ToolOutcome.Refused(
          "more than %d calls of tools in a minute are not allowed here"
              .formatted(config.policy().callsPerMinute().orElseThrow()));
    }
    var server = servers.get(tool.server());
    var token = UUID.randomUUID().toString();
    var reply = server.call(tool.serverTool(), values, token, terms.progress());
    return await(reply, patience(server, terms.left()), terms.cancellation(), server, token);
  }

  private Duration patience(McpServer server, Duration left) {
    var own = server.config().timeout().orElse(config.toolTimeout());
    return own.compareTo(left) < 0 ? own : left;
  }

  private ToolOutcome await(
      CompletableFuture<ToolReply> reply,
      Duration patience,
      Cancellation cancellation,
      McpServer server,
      String token) {
    try {
      CompletableFuture.anyOf(reply, cancellation.whenCancelled())
          .get(Math.max(0, patience.toNanos()), TimeUnit.NANOSECONDS);
      if (reply.isDone()) {
        return limit.of(reply.get());
      }
      server.cancel(token, "the request was cancelled");
      return new ToolOutcome.Cancelled();
    } catch (TimeoutException _) {
      server.cancel(token, "it took too long");
      return new ToolOutcome.TimedOut(patience);
    } catch (ExecutionException e) {
      return new ToolOutcome.Failed(reason(e.getCause()));
    } catch (InterruptedException _) {
      server.cancel(token, "the request was cancelled");
      Thread.currentThread().interrupt();
      return new ToolOutcome.Cancelled();
    }
  }

  private static String reason(Throwable failure) {
    return switch (failure) {
      case ConnectionException e -> e.getMessage();
      default -> {
        LOG.warn("a call failed unexpectedly", failure);
        yield failure.getClass().getSimpleName();
      }
    };
  }
}
