package dev.vllmmlx.tests;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A server of the built distribution in a process of its own, on a free loopback port. Closing it
 * ends the process.
 */
public final class RunningServer implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofMinutes(4);

  private final Process process;
  private final Path folder;
  private final int port;

  private RunningServer(Process process, Path folder, int port) {
    this.process = process;
    this.folder = folder;
    this.port = port;
  }

  /**
   * Starts {@code vllm-mlx serve} and waits until it listens.
   *
   * @param arguments after {@code serve}; host and port are given here
   * @throws IllegalStateException if it ends or does not listen in time, with what it printed
   */
  public static RunningServer start(String... arguments) {
    return start(Map.of(), arguments);
  }

  /** The same with more environment variables. */
  public static RunningServer start(Map<String, String> environment, String... arguments) {
    return startIn(Path.of("").toAbsolutePath(), environment, arguments);
  }

  /** The same in a folder. */
  public static RunningServer startIn(
      Path where, Map<String, String> environment, String... arguments) {
    try {
      var folder = Files.createTempDirectory("vllm-mlx-server");
      var portFile = folder.resolve("port");
      var command = new ArrayList<>(List.of(launcher().toString(), "serve"));
      command.addAll(List.of(arguments));
      command.addAll(
          List.of("--host", "127.0.0.1", "--port", "0", "--port-file", portFile.toString()));
      var builder = new ProcessBuilder(command).directory(where.toFile());
      builder.environment().putAll(environment);
      var process =
          builder
              .redirectErrorStream(true)
              .redirectOutput(Redirect.to(folder.resolve("output").toFile()))
              .start();
      var deadline = System.nanoTime() + START_LIMIT.toNanos();
      while (!Files.exists(portFile)) {
        if (!process.isAlive() || System.nanoTime() > deadline) {
          process.destroyForcibly().waitFor();
          throw new IllegalStateException("the server did not start: " + output(folder));
        }
        Thread.sleep(20);
      }
      return new RunningServer(
          process, folder, Integer.parseInt(Files.readString(portFile).strip()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** The distribution's own launcher. */
  public static Path launcher() {
    var launcher = root().resolve("dist/target/vllm-mlx/bin/vllm-mlx");
    if (!Files.isExecutable(launcher)) {
      throw new IllegalStateException(
          "there is no " + launcher + ": these tests need `./mvnw verify`, or `package` before");
    }
    return launcher;
  }

  /** The folder of the whole project. */
  public static Path root() {
    var folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("mvnw"))) {
      folder = folder.getParent();
      if (folder == null) {
        throw new IllegalStateException("not inside the project");
      }
    }
    return folder;
  }

  public int port() {
    return port;
  }

  /** What an OpenAI client calls its base URL. */
  public String baseUrl() {
    return "http://127.0.0.1:" + port + "/v1";
  }

  public URI resolve(String path) {
    return URI.create("http://127.0.0.1:" + port + path);
  }

  /** The server's process, for tests that send it signals. */
  public Process process() {
    return process;
  }

  /** What it has printed so far. */
  public String output() {
    return output(folder);
  }

  private static String output(Path folder) {
    try {
      return Files.readString(folder.resolve("output"));
    } catch (IOException e) {
      return "(no output: " + e.getMessage() + ")";
    }
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
