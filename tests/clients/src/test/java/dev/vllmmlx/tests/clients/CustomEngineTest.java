package dev.vllmmlx.tests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.tests.RunningServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example of an engine of one's own builds, passes the testkit, and serves as a plugin. */
final class CustomEngineTest {
  @TempDir Path folder;

  @Test
  void isBuiltLoadedAndServed() throws IOException {
    var root = RunningServer.root();
    var example = root.resolve("examples/custom-engine");
    // As its README says, but into a repository of the test's own in front of the user's.
    maven(root, "install", "-DskipTests", "-pl", "spi,spi/testkit", "-am");
    maven(root, "-f", example.resolve("pom.xml").toString(), "package");

    var plugin = Files.createDirectories(folder.resolve("plugins/markov"));
    Files.copy(example.resolve("target/markov-engine.jar"), plugin.resolve("markov-engine.jar"));
    try (var server =
        RunningServer.start("--plugins-dir", plugin.getParent().toString(), "--engine", "markov")) {
      var answer =
          PythonEnvironment.run(
              root,
              List.of(
                  "curl",
                  "-sS",
                  server.baseUrl() + "/completions",
                  "-H",
                  "Content-Type: application/json",
                  "-d",
                  "{\"prompt\": \"It was the\", \"temperature\": 0, \"max_tokens\": 8}"));
      assertThat(answer).contains("\"text\":\" ").contains("\"model\":\"markov\"");
    }
  }

  private void maven(Path root, String... arguments) {
    var command = new ArrayList<>(List.of(root.resolve("mvnw").toString(), "-q", "-B"));
    command.addAll(List.of(arguments));
    command.add("-Dmaven.repo.local=" + folder.resolve("repository"));
    command.add("-Dmaven.repo.local.tail=" + userRepository());
    command.add("-Dmaven.repo.local.tail.ignoreAvailability=true");
    PythonEnvironment.run(root, command);
  }

  private static Path userRepository() {
    var given = System.getProperty("maven.repo.local");
    return given == null
        ? Path.of(System.getProperty("user.home"), ".m2", "repository")
        : Path.of(given);
  }
}
