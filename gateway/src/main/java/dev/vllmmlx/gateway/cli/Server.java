package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.gateway.http.Gateway;
import dev.vllmmlx.gateway.http.GatewaySettings;
import dev.vllmmlx.gateway.metrics.Metrics;
import dev.vllmmlx.gateway.plugin.FoundEngine;
import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineContext;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An open engine and the gateway that listens in front of it. */
record Server(Engine engine, Vertx vertx, Gateway gateway) {
  private static final Logger LOG = LoggerFactory.getLogger(Server.class);

  /** Opens the engine, starts Vert.x meanwhile, and listens; leaves nothing open if it fails. */
  static Server start(GatewaySettings settings, FoundEngine found, EngineContext context) {
    var vertx = new CompletableFuture<Vertx>();
    Thread.ofPlatform()
        .name("vertx-start")
        .start(
            () -> {
              vertx.completeAsync(Vertx::vertx, Runnable::run);
              Metrics.load();
            });
    Engine engine = null;
    try {
      engine = found.open(context);
      var gateway = Gateway.start(vertx.join(), settings, found.provider().name(), engine).await();
      return new Server(engine, vertx.join(), gateway);
    } catch (RuntimeException e) {
      if (engine != null) {
        engine.close();
      }
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
    close(vertx);
  }

  private static void close(Vertx vertx) {
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }
}
