package dev.vllmmlx.tests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.tests.RunningServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Python with the official SDKs, as testenv/clients.txt pins them. */
final class PythonEnvironment {
  private final Path root = RunningServer.root();
  private final Path python;

  PythonEnvironment() {
    python =
        Path.of(run(root, List.of(root.resolve("testenv/venv").toString(), "clients")).strip())
            .resolve("bin/python");
  }

  /** Runs a file of pytest tests against a server; its report is the failure's message. */
  void pytest(String file, RunningServer server, String... environment) {
    var report =
        run(
            root.resolve("tests/clients/src/test/python"),
            List.of(python.toString(), "-m", "pytest", "-q", "-p", "no:cacheprovider", file),
            Stream.concat(Stream.of("VLLM_MLX_URL=" + server.baseUrl()), Stream.of(environment))
                .toArray(String[]::new));
    assertThat(report).contains(" passed");
    System.out.println(report.lines().toList().getLast());
  }

  /** Runs a program text. */
  String run(String program) {
    return run(root, List.of(python.toString(), "-c", program));
  }

  /** What a command prints; fails with all of it when the command does. */
  static String run(Path folder, List<String> command, String... environment) {
    try {
      var builder = new ProcessBuilder(new ArrayList<>(command)).directory(folder.toFile());
      for (var variable : environment) {
        var equals = variable.indexOf('=');
        builder.environment().put(variable.substring(0, equals), variable.substring(equals + 1));
      }
      builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
      var process = builder.redirectErrorStream(true).start();
      process.getOutputStream().close();
      var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as("%s printed:%n%s", command, output).isZero();
      return output;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
