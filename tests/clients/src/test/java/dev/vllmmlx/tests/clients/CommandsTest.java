package dev.vllmmlx.tests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.tests.RunningServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The commands of the manual and of the examples are understood as they stand. Without a network a
 * model of the hub is not to be had, and that is what the server says: not that a flag is wrong.
 */
final class CommandsTest {
  private record Ended(int status, String output) {}

  @TempDir Path home;

  @Test
  void servesAModelOfTheHub() throws Exception {
    var ended = run("serve mlx-community/Llama-3.2-3B-Instruct-4bit --port 0");
    assertThat(ended.output()).contains("mlx-community/Llama-3.2-3B-Instruct-4bit");
    assertThat(ended.output()).containsIgnoringCase("offline").doesNotContain("--help");
    assertThat(ended.status()).isEqualTo(1);
  }

  @Test
  void theSystemdUnitsCommandIsUnderstood() throws Exception {
    var unit = RunningServer.root().resolve("examples/systemd/vllm-mlx.service");
    var command =
        Files.readAllLines(unit).stream()
            .filter(line -> line.startsWith("ExecStart="))
            .findFirst()
            .orElseThrow();
    assertThat(command).startsWith("ExecStart=/usr/local/bin/vllm-mlx ");
    var ended = run(command.substring(command.indexOf(' ') + 1).replace("8000", "0"));
    assertThat(ended.output()).contains("mlx-community/Qwen3-0.6B-8bit");
    assertThat(ended.status()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--continuous-batching --stream-interval 5",
        "--continuous-batching --use-paged-cache",
        "--engine batched --max-num-seqs 8 --use-paged-cache --block-size 64 --kv-cache-memory 1GB"
      })
  void servesManyByTheBatchedEngine(String options) throws Exception {
    var ended = run("serve mlx-community/Llama-3.2-3B-Instruct-4bit --port 0 " + options);
    assertThat(ended.output()).containsIgnoringCase("offline").doesNotContain("--help");
    assertThat(ended.status()).isEqualTo(1);
  }

  @Test
  void aPagedCacheIsRefusedByNameWhereTheEngineHasNone() throws Exception {
    var ended = run("serve --engine simple --use-paged-cache");
    assertThat(ended.output()).contains("--use-paged-cache");
    assertThat(ended.status()).isEqualTo(2);
  }

  @Test
  void aMistakeInTheFileOfServersIsNamed() throws Exception {
    var file =
        Files.writeString(
            home.resolve("mcp.json"),
            "{\"mcpServers\": {\"time\": {\"command\": \"x\", \"args\": 5}}}");
    var ended = run("serve --engine echo --mcp-config " + file);
    assertThat(ended.output()).contains("--mcp-config", "mcp.json", "time", "args");
    assertThat(ended.status()).isEqualTo(2);
  }

  @Test
  void listsEngines() throws Exception {
    var ended = run("engines");
    assertThat(ended.output())
        .contains("simple")
        .contains("batched")
        .contains("echo")
        .contains("class path");
    assertThat(ended.status()).isZero();
  }

  @Test
  void printsACompletionScriptThatBashTakes() throws Exception {
    var ended = run("generate-completion");
    var script = Files.writeString(home.resolve("completion"), ended.output());
    PythonEnvironment.run(home, List.of("bash", "-n", script.toString()));
    assertThat(ended.output()).contains("--max-tokens");
  }

  @Test
  void anUnknownOptionIsNamedWithoutTheWholeHelp() throws Exception {
    var ended = run("serve --sparkle");
    assertThat(ended.output().lines().count()).isLessThan(6);
    assertThat(ended.output()).contains("--sparkle");
    assertThat(ended.status()).isEqualTo(2);
  }

  private Ended run(String arguments) throws IOException, InterruptedException {
    var command = new java.util.ArrayList<>(List.of(RunningServer.launcher().toString()));
    command.addAll(Arrays.asList(arguments.split(" ")));
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("HF_HOME", home.toString());
    builder.environment().put("HF_HUB_OFFLINE", "1");
    var process = builder.start();
    process.getOutputStream().close();
    var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ended(process.waitFor(), output);
  }
}
