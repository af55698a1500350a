package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.gateway.http.Gateway;
import dev.vllmmlx.gateway.http.GatewaySettings;
import dev.vllmmlx.gateway.mcp.McpTools;
import dev.vllmmlx.gateway.metrics.Metrics;
import dev.vllmmlx.gateway.plugin.FoundEngine;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineContext;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An open engine, its MCP servers, and the gateway that listens in front of them. */
record Server(Engine engine, Vertx vertx, Gateway gateway, Optional<McpTools> mcp) {
  private static final Logger LOG = LoggerFactory.getLogger(Server.class);
  private static final Duration SERVERS_START = Duration.ofSeconds(10);

  /** Opens the engine, starts Vert.x meanwhile, and listens; leaves nothing open if it fails. */
  static Server start(
      GatewaySettings settings,
      FoundEngine found,
      EngineContext context,
      Optional<McpOptions.Chosen> tools) {
    var vertx = new CompletableFuture<Vertx>();
    Thread.ofPlatform()
        .name("vertx-start")
        .start(
            () -> {
              vertx.completeAsync(Vertx::vertx, Runnable::run);
              Metrics.load();
            });
    // Servers take seconds to come up, and so does a model.
    var mcp = tools.map(McpOptions.Chosen::start);
    Engine engine = null;
    try {
      engine = found.open(context);
      mcp.ifPresent(Server::awaitTools);
      var gateway =
          Gateway.start(vertx.join(), settings, found.provider().name(), engine, mcp).await();
      return new Server(engine, vertx.join(), gateway, mcp);
    } catch (RuntimeException e) {
      if (engine != null) {
        engine.close();
      }
      mcp.ifPresent(it -> it.bridge().close());
      close(vertx.join());
      throw e;
    }
  }

  /**
   * Lets running requests finish, and closes everything.
   *
   * @param drainTimeout what they get to finish in
   */
  void end(Duration drainTimeout) {
    try {
      gateway
          .drain(drainTimeout)
          .toCompletionStage()
          .toCompletableFuture()
          .get(drainTimeout.toMillis() + 2_000, TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      LOG.warn("not every request could be ended in time", e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    engine.close();
    mcp.ifPresent(it -> it.bridge().close());
    close(vertx);
  }

  // So that the first chat has the tools, too; a server that hangs must not hold up the others.
  private static void awaitTools(McpTools mcp) {
    try {
      if (!mcp.bridge().awaitSettled(SERVERS_START)) {
        LOG.warn("not every MCP server is up yet; their tools join chats when they are");
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static void close(Vertx vertx) {
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }
}
