package dev.vllmmlx.tests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.tests.RunningServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples of the README do what it says, taken from the README itself. */
final class ReadmeTest {
  private static RunningServer server;

  @BeforeAll
  static void start() {
    server = RunningServer.start();
  }

  @AfterAll
  static void end() {
    server.close();
  }

  @Test
  void theCurlExampleAnswersParis() throws IOException {
    var curl =
        CodeBlocks.of(RunningServer.root().resolve("README.md"), "bash").stream()
            .filter(block -> block.startsWith("curl"))
            .toList();
    assertThat(curl).hasSize(1);
    var answer =
        PythonEnvironment.run(RunningServer.root(), List.of("bash", "-c", here(curl.getFirst())));
    assertThat(answer).contains("\"content\":").contains("Paris");
  }

  @Test
  void thePythonExampleRuns() throws IOException {
    var program = CodeBlocks.of(RunningServer.root().resolve("README.md"), "python");
    assertThat(program).hasSize(1);
    var printed = new PythonEnvironment().run(here(program.getFirst()));
    assertThat(printed.lines().findFirst().orElseThrow()).contains("Paris");
    // The story between may say anything.
    assertThat(printed.substring(printed.lastIndexOf('\n', printed.lastIndexOf("Paris")) + 1))
        .as("the completion")
        .startsWith(" Paris");
  }

  @Test
  void theBenchCommandsRun(@TempDir Path folder) throws IOException {
    var blocks =
        CodeBlocks.of(RunningServer.root().resolve("README.md"), "bash").stream()
            .filter(block -> block.contains("vllm-mlx bench"))
            .toList();
    assertThat(blocks).hasSize(1);
    var printed = new LinkedHashMap<String, String>();
    for (var line : blocks.getFirst().lines().toList()) {
      var command = here(line).replace("./vllm-mlx", RunningServer.launcher().toString());
      printed.put(line, PythonEnvironment.run(folder, List.of("bash", "-c", command)));
    }
    assertThat(printed).hasSize(5);
    assertThat(printed)
        .allSatisfy(
            (line, text) -> {
              if (line.contains("bench model")) {
                assertThat(text)
                    .containsPattern("decode +[\\d.]+ tokens/s")
                    .contains("peak memory");
              } else if (line.contains("bench serve")) {
                assertThat(text).contains("TTFT").contains("tokens/s");
              } else {
                assertThat(text).contains("rehearsed");
              }
            });
    assertThat(folder.resolve("model.json")).content().contains("decode_tokens_per_second");
    assertThat(folder.resolve("load.html")).content().contains("<svg");
  }

  @Test
  void theTableOfCommandsIsWhole() throws IOException {
    var readme = Files.readString(RunningServer.root().resolve("README.md"));
    var help =
        PythonEnvironment.run(
            RunningServer.root(), List.of(RunningServer.launcher().toString(), "--help"));
    var commands =
        help.substring(help.indexOf("Commands:"))
            .lines()
            .filter(line -> line.matches(" {2}[a-z].*"))
            .map(line -> line.strip().split("\\s+")[0])
            .filter(name -> !name.equals("help") && !name.equals("generate-completion"))
            .toList();
    assertThat(commands).contains("serve", "bench", "rehearse");
    assertThat(commands).allSatisfy(name -> assertThat(readme).contains("| `vllm-mlx " + name));
  }

  @Test
  void theTableOfOptionsIsWhole() throws IOException {
    var readme = Files.readString(RunningServer.root().resolve("README.md"));
    var help =
        PythonEnvironment.run(
            RunningServer.root(), List.of(RunningServer.launcher().toString(), "serve", "--help"));
    var options =
        help.substring(0, help.indexOf("Options of the engine"))
            .lines()
            .map(String::strip)
            .filter(line -> line.matches("--[a-z-]+.*"))
            .map(line -> line.replaceAll("[=\\s].*", ""))
            .toList();
    assertThat(options).isNotEmpty();
    assertThat(options).allSatisfy(option -> assertThat(readme).contains("`" + option + "`"));
  }

  private static String here(String example) {
    return example.replace("localhost:8000", "127.0.0.1:" + server.port());
  }
}
