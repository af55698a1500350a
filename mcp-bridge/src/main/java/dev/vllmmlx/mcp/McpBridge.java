package dev.vllmmlx.mcp;

import dev.vllmmlx.mcp.config.McpConfig;
import dev.vllmmlx.mcp.connection.ConnectionLimits;
import dev.vllmmlx.mcp.connection.McpServer;
import dev.vllmmlx.mcp.connection.ServerStatus;
import dev.vllmmlx.mcp.tool.AuditLog;
import dev.vllmmlx.mcp.tool.CallListener;
import dev.vllmmlx.mcp.tool.ToolCatalogue;
import dev.vllmmlx.mcp.tool.ToolCounts;
import dev.vllmmlx.mcp.tool.ToolRunner;
import dev.vllmmlx.mcp.tool.ToolSelection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All servers of a configuration, kept connected, and their tools. For any thread; nothing here
 * waits except where it says so.
 */
public final class McpBridge implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(McpBridge.class);
  // Longer than any request, and far from what nanoseconds can count.
  private static final Duration NO_DEADLINE = Duration.ofDays(1);

  private final McpConfig config;
  private final Map<String, McpServer> servers = new LinkedHashMap<>();
  private final ToolCounts counts = new ToolCounts();
  private final ToolRunner runner;
  private volatile ToolCatalogue catalogue = ToolCatalogue.empty();

  private McpBridge(
      McpConfig config,
      Map<String, String> environment,
      ConnectionLimits limits,
      CallListener listener) {
    this.config = config;
    for (var server : config.servers()) {
      servers.put(server.name(), new McpServer(server, environment, limits, this::rebuild));
    }
    this.runner =
        new ToolRunner(
            config, servers, List.of(new AuditLog(config.policy().redacted()), counts, listener));
  }

  /**
   * Starts to connect to every server that is not disabled, without waiting for any.
   *
   * @param environment our own variables, of which child processes get the least
   * @param listener told of each call
   */
  public static McpBridge start(
      McpConfig config, Map<String, String> environment, CallListener listener) {
    return start(config, environment, ConnectionLimits.usual(), listener);
  }

  /** The same within other limits. */
  public static McpBridge start(
      McpConfig config,
      Map<String, String> environment,
      ConnectionLimits limits,
      CallListener listener) {
    config.warnings().forEach(LOG::warn);
    var bridge = new McpBridge(config, environment, limits, listener);
    bridge.servers.values().forEach(McpServer::start);
    return bridge;
  }

  /**
   * Waits until each server has been connected, or has failed once.
   *
   * @return false if that takes longer
   */
  public boolean awaitSettled(Duration patience) throws InterruptedException {
    var deadline = System.nanoTime() + patience.toNanos();
    for (var server : servers.values()) {
      if (!server.awaitSettled(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())))) {
        return false;
      }
    }
    return true;
  }

  public McpConfig config() {
    return config;
  }

  /** How each server is, in the configuration's order. */
  public List<ServerStatus> servers() {
    return servers.values().stream().map(McpServer::status).toList();
  }

  /** The tools that can be called now. */
  public ToolCatalogue catalogue() {
    return catalogue;
  }

  /** What was called so far. */
  public List<ToolCounts.Count> counts() {
    return counts.snapshot();
  }

  /**
   * The tools of a request, as they are now.
   *
   * @param request its id, for the log
   * @param selection what it wants
   * @param taken names of the client's own tools, which stay the client's
   * @throws ToolSelection.UnknownException if it names a server or tool that is not there
   */
  public ToolSession session(String request, ToolSelection selection, Set<String> taken) {
    return session(request, selection, taken, NO_DEADLINE);
  }

  /**
   * The same for a request that has so much time left.
   *
   * @param left what its calls may take together
   */
  public ToolSession session(
      String request, ToolSelection selection, Set<String> taken, Duration left) {
    return new ToolSession(
        request,
        catalogue.select(selection).without(taken),
        runner,
        config.policy().callsPerRequest(),
        config.maxToolRounds(),
        left.compareTo(NO_DEADLINE) < 0 ? left : NO_DEADLINE);
  }

  // Each from what all servers are now, so that the last one to come here is right.
  private synchronized void rebuild() {
    catalogue =
        ToolCatalogue.of(
            config.servers(), config.policy(), server -> servers.get(server.name()).status());
  }

  /** Ends every connection and child process; returns when none is left. */
  @Override
  public void close() {
    var closers = new ArrayList<Thread>();
    servers.values().forEach(server -> closers.add(Thread.startVirtualThread(server::close)));
    for (var closer : closers) {
      try {
        closer.join();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
