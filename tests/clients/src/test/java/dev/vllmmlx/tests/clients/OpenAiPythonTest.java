package dev.vllmmlx.tests.clients;

import dev.vllmmlx.tests.RunningServer;
import org.junit.jupiter.api.Test;

/** OpenAI's own Python SDK, over HTTP, against the distribution. */
final class OpenAiPythonTest {
  /** The profile {@code replies} asks for two hundred. */
  private static final String REPLIES = "REPLIES=" + Integer.getInteger("replies", 16);

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
  void worksWithTheDefaultModelInTheSimpleEngine() {
    try (var server = RunningServer.start()) {
      python.pytest("test_model.py", server);
      python.pytest("test_server_page.py", server);
      python.pytest("test_structured.py", server, REPLIES);
    }
  }

  @Test
  void keepsWhatRepliesMustBeInTheBatchedEngine() {
    try (var server = RunningServer.start("--engine", "batched")) {
      python.pytest("test_structured.py", server, REPLIES);
    }
  }
}
