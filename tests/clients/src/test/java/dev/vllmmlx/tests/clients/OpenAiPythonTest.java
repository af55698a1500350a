package dev.vllmmlx.tests.clients;

import dev.vllmmlx.tests.RunningServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** OpenAI's own Python SDK, over HTTP, against the distribution. */
final class OpenAiPythonTest {
  private final PythonEnvironment python = new PythonEnvironment();

  @Test
  void worksWithTheEchoEngine() {
    try (var server = RunningServer.start("--engine", "echo")) {
      python.pytest("test_echo.py", server);
    }
  }

  @Test
  void seesWhatRunsAndEndsIt() {
    try (var server = RunningServer.start("--engine", "echo", "--tokens-per-second", "20")) {
      python.pytest("test_slow_answers.py", server);
    }
  }

  @Test
  void worksWithTheDefaultModel() {
    try (var server = RunningServer.start()) {
      python.pytest("test_model.py", server);
      python.pytest("test_server_page.py", server);
    }
  }

  /** The profile {@code replies} asks for two hundred of them. */
  @ParameterizedTest
  @ValueSource(strings = {"simple", "batched"})
  void keepsWhatRepliesMustBe(String engine) {
    try (var server = RunningServer.start("--engine", engine)) {
      python.pytest("test_structured.py", server, "REPLIES=" + Integer.getInteger("replies", 20));
    }
  }
}
