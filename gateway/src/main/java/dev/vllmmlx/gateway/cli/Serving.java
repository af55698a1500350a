package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.gateway.http.GatewaySettings;
import dev.vllmmlx.gateway.plugin.FoundEngine;
import dev.vllmmlx.spi.EngineContext;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A server from its start to its end: opens the engine, listens, and drains on SIGTERM. */
final class Serving {
  private static final Logger LOG = LoggerFactory.getLogger(Serving.class);

  private final GatewaySettings settings;
  private final Duration drainTimeout;
  private final Optional<Path> portFile;
  private final PrintWriter out;

  Serving(
      GatewaySettings settings, Duration drainTimeout, Optional<Path> portFile, PrintWriter out) {
    this.settings = settings;
    this.drainTimeout = drainTimeout;
    this.portFile = portFile;
    this.out = out;
  }

  /** Returns when the process is told to end and everything is closed. */
  void run(FoundEngine found, EngineContext context, Optional<McpOptions.Chosen> tools)
      throws Exception {
    checkAddress();
    warnIfOpen();
    var server = Server.start(settings, found, context, tools);
    var ended = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .name("shutdown")
                .unstarted(
                    () -> {
                      end(server);
                      ended.countDown();
                    }));
    announce(server, found);
    // What reading vocabularies left behind would stay in memory for as long as nobody asks.
    System.gc();
    ended.await();
  }

  private void announce(Server server, FoundEngine found) throws IOException {
    var gateway = server.gateway();
    if (portFile.isPresent()) {
      // Whoever waits for the file must never see half of it.
      var part = portFile.get().resolveSibling(portFile.get().getFileName() + ".part");
      Files.writeString(part, gateway.port() + System.lineSeparator());
      Files.move(part, portFile.get(), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    }
    var model = server.engine().model();
    var host = isWildcard() ? "localhost" : settings.host();
    out.printf("Serving  %s%n", model.id());
    out.printf(
        "engine   %s, context of %d tokens%n", found.provider().name(), model.contextLength());
    out.printf(
        "API      http://%s:%d/v1%s%n",
        host.contains(":") ? "[" + host + "]" : host,
        gateway.port(),
        isWildcard() ? "  (on all interfaces)" : "");
    server
        .mcp()
        .ifPresent(
            mcp ->
                out.printf(
                    "MCP      %d tools of %d servers, mode %s%n",
                    mcp.bridge().catalogue().tools().size(),
                    mcp.bridge().servers().size(),
                    mcp.mode().text()));
    out.flush();
  }

  // Found before a model is loaded for minutes.
  private void checkAddress() throws IOException {
    if (settings.port() == 0) {
      return;
    }
    try (var socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getByName(settings.host()), settings.port()));
    } catch (UnknownHostException e) {
      throw new IOException("--host %s: no such address".formatted(settings.host()), e);
    } catch (IOException e) {
      throw new IOException(
          "cannot listen on %s port %d: %s"
              .formatted(settings.host(), settings.port(), e.getMessage()),
          e);
    }
  }

  private void warnIfOpen() throws UnknownHostException {
    var loopback = InetAddress.getByName(settings.host()).isLoopbackAddress();
    if (!loopback && settings.apiKeys().isEmpty()) {
      LOG.warn(
          "listening on {} without --api-key: every machine that reaches this one can use it",
          settings.host());
    }
  }

  private boolean isWildcard() {
    return settings.host().equals("0.0.0.0") || settings.host().equals("::");
  }

  private void end(Server server) {
    LOG.info("shutting down: running requests get {} s to finish", drainTimeout.toSeconds());
    server.end(drainTimeout);
    LOG.info("ended");
  }
}
