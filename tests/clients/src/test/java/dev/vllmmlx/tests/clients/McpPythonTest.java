package dev.vllmmlx.tests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.tests.RunningServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Chats whose tools the server runs: OpenAI's Python SDK, the distribution, mcp-server-time. */
final class McpPythonTest {
  private final PythonEnvironment python = new PythonEnvironment();

  @TempDir Path folder;
  private String config;

  @BeforeEach
  void writeConfig() throws Exception {
    var root = RunningServer.root();
    var made = PythonEnvironment.run(root, List.of(root.resolve("testenv/venv").toString(), "mcp"));
    var text =
        """
        {"maxToolRounds": 2, "mcpServers": {"time": {
          "command": "%s/bin/python",
          "args": ["-m", "mcp_server_time", "--local-timezone", "UTC"],
          "env": {"MARK": "%s"}}}}
        """
            .formatted(made.lines().toList().getLast().strip(), folder);
    config = Files.writeString(folder.resolve("mcp.json"), text).toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"simple", "batched"})
  void aModelCallsAToolAndAnswers(String engine) {
    try (var server = RunningServer.start("--engine", engine, "--mcp-config", config)) {
      python.pytest("test_mcp.py", server);
    }
  }

  @Test
  void fiftyChatsAtOnceLeaveNothingBehind() {
    try (var server = RunningServer.start("--engine", "echo", "--mcp-config", config)) {
      python.pytest("test_mcp_fifty.py", server, "SERVER_PID=" + server.process().pid());
    }
  }

  @Test
  void fiftyChatsOfAModelLeaveItsEngineAsItWas() {
    try (var server =
        RunningServer.start("--engine", "batched", "--use-paged-cache", "--mcp-config", config)) {
      python.pytest("test_mcp_fifty_model.py", server);
    }
  }

  @Test
  void callsAreRunWordForWordAndNoServerIsLeftBehind() throws Exception {
    try (var server = RunningServer.start("--engine", "echo", "--mcp-config", config)) {
      assertThat(servers()).isPositive();
      python.pytest("test_mcp_echo.py", server);
    }
    for (var i = 0; i < 100 && servers() > 0; i++) {
      TimeUnit.MILLISECONDS.sleep(100);
    }
    assertThat(servers()).isZero();
  }

  /** How many servers there are that this test's configuration started. */
  private long servers() {
    return ProcessHandle.allProcesses().filter(this::isOurs).count();
  }

  private boolean isOurs(ProcessHandle process) {
    try {
      return Files.readString(Path.of("/proc/" + process.pid() + "/environ"))
          .contains("MARK=" + folder);
    } catch (Exception _) {
      return false;
    }
  }
}
