package dev.vllmmlx.tests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.tests.RunningServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The README's command in a folder with the example's mcp.json, both as they stand. {@code npx}
 * finds the pinned packages in that folder; in the place of {@code uvx}, which is not on every
 * machine, stands a line that runs the pinned program.
 */
final class McpExampleTest {
  private final PythonEnvironment python = new PythonEnvironment();

  @TempDir Path folder;

  @Test
  void theReadmesCommandServesTheExamplesServers() throws Exception {
    var root = RunningServer.root();
    var command =
        CodeBlocks.of(root.resolve("README.md"), "bash").stream()
            .filter(block -> block.contains("--mcp-config"))
            .toList();
    assertThat(command).containsExactly("vllm-mlx serve --engine batched --mcp-config mcp.json\n");
    assertThat(CodeBlocks.of(root.resolve("examples/mcp/README.md"), "sh"))
        .contains(command.getFirst());

    var npm = Path.of(made("npm"));
    Files.copy(root.resolve("examples/mcp/mcp.json"), folder.resolve("mcp.json"));
    Files.writeString(folder.resolve("note.txt"), "forty-two");
    Files.createSymbolicLink(folder.resolve("node_modules"), npm.resolve("node_modules"));
    var programs = Files.createDirectory(folder.resolve("programs"));
    var uvx = programs.resolve("uvx");
    Files.writeString(
        uvx,
        "#!/bin/sh\nprogram=$1\nshift\nexec \"%s/bin/$program\" \"$@\"\n".formatted(made("venv")));
    assertThat(uvx.toFile().setExecutable(true)).isTrue();
    var path =
        "%s:%s:%s"
            .formatted(
                programs, npm.resolve("bin/node").toRealPath().getParent(), System.getenv("PATH"));

    var arguments = command.getFirst().strip().split(" ");
    try (var server =
        RunningServer.startIn(
            folder, Map.of("PATH", path), Arrays.copyOfRange(arguments, 2, arguments.length))) {
      python.pytest("test_mcp_example.py", server, "EXAMPLE=" + folder.toRealPath());
      assertThat(children(server)).isNotEmpty();
      server.process().destroyForcibly();
      // Killed, it can end nobody; they are gone all the same.
      for (var i = 0; i < 300 && !left().isEmpty(); i++) {
        TimeUnit.MILLISECONDS.sleep(100);
      }
      assertThat(left()).isEmpty();
    }
  }

  private static List<ProcessHandle> children(RunningServer server) {
    return server.process().toHandle().children().toList();
  }

  /** Processes that work in the example's folder. */
  private List<Long> left() {
    return ProcessHandle.allProcesses().filter(this::isHere).map(ProcessHandle::pid).toList();
  }

  private boolean isHere(ProcessHandle process) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/" + process.pid() + "/cwd"))
          .equals(folder.toRealPath());
    } catch (IOException _) {
      return false;
    }
  }

  private static String made(String kind) {
    var root = RunningServer.root();
    return PythonEnvironment.run(root, List.of(root.resolve("testenv/" + kind).toString(), "mcp"))
        .lines()
        .toList()
        .getLast()
        .strip();
  }
}
