package dev.vllmmlx.mcp;

import dev.vllmmlx.mcp.config.Endpoint;
import dev.vllmmlx.mcp.config.NameFilter;
import dev.vllmmlx.mcp.config.ServerConfig;
import dev.vllmmlx.mcp.connection.ConnectionLimits;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Real MCP servers for tests: the reference servers, and one of our own that misbehaves. */
public final class Servers {
  /** Quick to try again, quick to notice. */
  public static final ConnectionLimits QUICK =
      new ConnectionLimits(
          Duration.ofSeconds(30),
          Duration.ofMillis(100),
          Duration.ofMillis(400),
          Duration.ofMillis(300),
          1 << 20,
          1_000);

  private static final Path ROOT = root();

  private Servers() {}

  public static Endpoint.Stdio everything() {
    return node("server-everything", "stdio");
  }

  public static Endpoint.Stdio filesystem(Path folder) {
    return node("server-filesystem", folder.toString());
  }

  public static Endpoint.Stdio time() {
    return stdio(python(), "-m", "mcp_server_time", "--local-timezone", "UTC");
  }

  /** The server of {@code src/test/python/odd_server.py}, which does what it is told to. */
  public static Endpoint.Stdio odd(String... behaviour) {
    var command = new ArrayList<String>();
    command.add(Path.of("src/test/python/odd_server.py").toAbsolutePath().toString());
    command.addAll(List.of(behaviour));
    return stdio(python(), command.toArray(String[]::new));
  }

  public static Endpoint.Stdio stdio(String command, String... args) {
    return new Endpoint.Stdio(command, List.of(args), Map.of(), Optional.empty());
  }

  public static ServerConfig config(String name, Endpoint endpoint) {
    return new ServerConfig(
        name, endpoint, Optional.empty(), false, true, true, Optional.empty(), NameFilter.ALL);
  }

  /** server-everything over HTTP in a process of its own; closing it ends it. */
  public record OverHttp(Process process, int port) implements AutoCloseable {

    /**
     * @param transport {@code streamableHttp} or {@code sse}
     */
    public static OverHttp start(String transport, int port) throws Exception {
      var command = new ArrayList<String>();
      var server = node("server-everything", transport);
      command.add(server.command());
      command.addAll(server.args());
      var builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().put("PORT", String.valueOf(port));
      builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
      var process = builder.start();
      var deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (!listens(port)) {
        if (!process.isAlive() || System.nanoTime() > deadline) {
          process.destroyForcibly();
          throw new IllegalStateException("server-everything does not listen");
        }
        Thread.sleep(50);
      }
      return new OverHttp(process, port);
    }

    public Endpoint.Http endpoint() {
      return http(port);
    }

    public static Endpoint.Http http(int port) {
      return new Endpoint.Http(
          URI.create("http://127.0.0.1:%d/mcp".formatted(port)),
          Map.of(),
          Endpoint.Dialect.STREAMABLE);
    }

    public Endpoint.Http sse() {
      return new Endpoint.Http(
          URI.create("http://127.0.0.1:%d/sse".formatted(port)), Map.of(), Endpoint.Dialect.SSE);
    }

    @Override
    public void close() {
      process.destroyForcibly();
    }

    private static boolean listens(int port) {
      try (var _ = new java.net.Socket("127.0.0.1", port)) {
        return true;
      } catch (IOException _) {
        return false;
      }
    }
  }

  public static int freePort() throws IOException {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  public static String python() {
    return run(ROOT.resolve("testenv/venv").toString(), "mcp") + "/bin/python";
  }

  private static Endpoint.Stdio node(String server, String... args) {
    var made = Path.of(run(ROOT.resolve("testenv/npm").toString(), "mcp"));
    var command = new ArrayList<String>();
    command.add(
        made.resolve("node_modules/@modelcontextprotocol/%s/dist/index.js".formatted(server))
            .toString());
    command.addAll(List.of(args));
    return stdio(made.resolve("bin/node").toString(), command.toArray(String[]::new));
  }

  private static String run(String... command) {
    try {
      var process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      process.getOutputStream().close();
      var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IllegalStateException(String.join(" ", command) + " failed");
      }
      return out.strip();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Path root() {
    var folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("mvnw"))) {
      folder = folder.getParent();
    }
    return folder;
  }
}
