package dev.vllmmlx.mcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.vllmmlx.mcp.config.McpConfig;
import dev.vllmmlx.mcp.config.NameFilter;
import dev.vllmmlx.mcp.config.Policy;
import dev.vllmmlx.mcp.config.ServerConfig;
import dev.vllmmlx.mcp.connection.ProgressListener;
import dev.vllmmlx.mcp.connection.ServerState;
import dev.vllmmlx.mcp.tool.McpTool;
import dev.vllmmlx.mcp.tool.ToolCounts;
import dev.vllmmlx.mcp.tool.ToolOutcome;
import dev.vllmmlx.mcp.tool.ToolSelection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

final class McpBridgeTest {
  @TempDir Path folder;

  private static McpBridge start(Policy policy, Duration timeout, ServerConfig... servers)
      throws InterruptedException {
    var bridge =
        McpBridge.start(
            new McpConfig(Path.of("mcp.json"), List.of(servers), policy, 10, timeout, List.of()),
            System.getenv(),
            Servers.QUICK,
            (_, _, _, _, _) -> {});
    assertThat(bridge.awaitSettled(Duration.ofSeconds(30))).isTrue();
    return bridge;
  }

  private static Policy policy(int chars, OptionalInt perMinute, int perRequest) {
    return new Policy(
        NameFilter.ALL, Optional.empty(), chars, perMinute, perRequest, Policy.USUAL.redacted());
  }

  private static ServerConfig odd(String... behaviour) {
    return Servers.config("odd", Servers.odd(behaviour));
  }

  private static ToolSession open(McpBridge bridge) {
    return bridge.session("r1", ToolSelection.usual(), Set.of());
  }

  private static ToolOutcome call(ToolSession session, String tool, String arguments) {
    return session.call(session.find(tool).orElseThrow(), arguments, ProgressListener.NONE);
  }

  @Test
  void runsTheToolsOfSeveralServersByTheirNames() throws Exception {
    try (var bridge =
            start(
                Policy.USUAL,
                Duration.ofSeconds(20),
                odd(),
                Servers.config("my time", Servers.time()));
        var session = open(bridge)) {
      assertThat(session.tools())
          .extracting(McpTool::name)
          .contains("odd__echo", "odd__bad_schema", "my_time__get_current_time");
      assertThat(call(session, "odd__echo", "{\"text\": \"hi\"}"))
          .isEqualTo(new ToolOutcome.Result("hi", Optional.empty(), false, false));
      assertThat(call(session, "odd__bad_schema", "{}").text()).isEqualTo("called bad schema");
      assertThat(call(session, "my_time__get_current_time", "{\"timezone\": \"UTC\"}").text())
          .contains("\"timezone\": \"UTC\"");
      var failed = call(session, "odd__fail", "{}");
      assertThat(failed.isError()).isTrue();
      assertThat(failed.text()).isEqualTo("it did not work");
    }
  }

  @Test
  void refusesArgumentsThatDoNotFitBeforeTheServerSeesThem() throws Exception {
    try (var bridge = start(Policy.USUAL, Duration.ofSeconds(20), odd());
        var session = open(bridge)) {
      var outcome = call(session, "odd__echo", "{\"text\": \"hi\", \"times\": 4}");
      assertThat(outcome).isInstanceOf(ToolOutcome.Refused.class);
      assertThat(outcome.text()).contains("do not fit", "/times");
    }
  }

  @Test
  void keepsThePolicysLimits() throws Exception {
    try (var bridge = start(policy(200, OptionalInt.of(4), 3), Duration.ofSeconds(20), odd())) {
      try (var session = open(bridge)) {
        var big = (ToolOutcome.Result) call(session, "odd__big", "{\"tens\": 1000}");
        assertThat(big.truncated()).isTrue();
        assertThat(big.text()).endsWith("\n[cut: the first 200 of 10000 characters]");
        call(session, "odd__fail", "{}");
        call(session, "odd__fail", "{}");
        assertThat(call(session, "odd__fail", "{}").text())
            .contains("more than 3 calls of tools in one request");
      }
      try (var session = open(bridge)) {
        assertThat(call(session, "odd__big", "{}").isError()).isFalse();
        assertThat(call(session, "odd__big", "{}").text())
            .contains("more than 4 calls of tools in a minute");
      }
      assertThat(bridge.counts())
          .extracting(ToolCounts.Count::tool, ToolCounts.Count::calls, ToolCounts.Count::errors)
          .containsExactly(
              org.assertj.core.groups.Tuple.tuple("odd__big", 3L, 1L),
              org.assertj.core.groups.Tuple.tuple("odd__fail", 3L, 3L));
      assertThat(bridge.counts().getFirst().seconds()).isBetween(0.0001, 10.0);
    }
  }

  @Test
  void givesUpOnAToolThatHangs() throws Exception {
    var mark = folder.resolve("mark");
    try (var bridge = start(Policy.USUAL, Duration.ofMillis(300), odd("mark=" + mark));
        var session = open(bridge)) {
      assertThat(call(session, "odd__hang", "{\"name\": \"x\"}"))
          .isEqualTo(new ToolOutcome.TimedOut(Duration.ofMillis(300)));
      await().until(() -> Files.exists(mark) && Files.size(mark) > 0);
      assertThat(Files.readString(mark)).isEqualTo("x: it took too long\n");
      assertThat(call(session, "odd__echo", "{\"text\": \"on\"}").text()).isEqualTo("on");
    }
  }

  @Test
  void keepsToTheRequestsOwnTime() throws Exception {
    try (var bridge =
            start(Policy.USUAL, Duration.ofSeconds(20), odd("mark=" + folder.resolve("m")));
        var session =
            bridge.session("r", ToolSelection.usual(), Set.of(), Duration.ofMillis(200))) {
      assertThat(call(session, "odd__hang", "{}")).isInstanceOf(ToolOutcome.TimedOut.class);
    }
  }

  @Test
  void closingASessionCancelsWhatRuns() throws Exception {
    var mark = folder.resolve("mark");
    try (var bridge = start(Policy.USUAL, Duration.ofSeconds(20), odd("mark=" + mark));
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var session = open(bridge);
      var running =
          List.of("a", "b").stream()
              .map(
                  name ->
                      threads.submit(
                          () -> call(session, "odd__hang", "{\"name\": \"%s\"}".formatted(name))))
              .toList();
      Thread.sleep(300);
      session.close();
      for (var call : running) {
        assertThat(call.get()).isEqualTo(new ToolOutcome.Cancelled());
      }
      await().until(() -> Files.exists(mark) && Files.readAllLines(mark).size() == 2);
      assertThat(call(session, "odd__echo", "{\"text\": \"x\"}"))
          .isEqualTo(new ToolOutcome.Cancelled());
    }
  }

  @Test
  void aServerThatDiesInACallIsAFailureThatTheModelIsTold() throws Exception {
    try (var bridge = start(Policy.USUAL, Duration.ofSeconds(20), odd());
        var session = open(bridge)) {
      var outcome = call(session, "odd__crash", "{}");
      assertThat(outcome).isInstanceOf(ToolOutcome.Failed.class);
      assertThat(outcome.text()).contains("ended with status 7");
      // The session keeps its tools, and they work again once the server does.
      await().until(() -> bridge.servers().getFirst().state() == ServerState.READY);
      assertThat(call(session, "odd__echo", "{\"text\": \"back\"}").text()).isEqualTo("back");
    }
  }

  @Test
  void theToolsOfAServerComeAndGoWithIt() throws Exception {
    var needed = folder.resolve("needed");
    try (var bridge = start(Policy.USUAL, Duration.ofSeconds(20), odd("needs=" + needed))) {
      assertThat(bridge.catalogue().tools()).isEmpty();
      Files.createFile(needed);
      await().until(() -> !bridge.catalogue().tools().isEmpty());

      try (var session = open(bridge)) {
        call(session, "odd__morph", "{}");
        await().until(() -> bridge.catalogue().find("odd__extra_0").isPresent());
        assertThat(session.find("odd__extra_0")).as("a session's tools stay").isEmpty();
      }
      Files.delete(needed);
      ProcessHandle.of(bridge.servers().getFirst().pid().orElseThrow())
          .orElseThrow()
          .destroyForcibly();
      await().until(() -> bridge.catalogue().tools().isEmpty());
    }
  }

  @Test
  void answersFiftyCallersWithoutMixingThemUp() throws Exception {
    try (var bridge =
            start(
                Policy.USUAL,
                Duration.ofSeconds(20),
                odd(),
                Servers.config("all", Servers.everything()));
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var answers = new ArrayList<Future<String>>();
      for (var i = 0; i < 50; i++) {
        var text = "caller " + i;
        answers.add(
            threads.submit(
                () -> {
                  try (var session = open(bridge)) {
                    return call(session, "odd__echo", "{\"text\": \"%s\"}".formatted(text)).text()
                        + call(session, "all__echo", "{\"message\": \"%s\"}".formatted(text))
                            .text();
                  }
                }));
      }
      for (var i = 0; i < 50; i++) {
        assertThat(answers.get(i).get()).isEqualTo("caller %d".formatted(i) + "Echo: caller " + i);
      }
    }
  }

  @Test
  void writesALineForEachCallWithoutItsSecrets() throws Exception {
    var lines = new ListAppender<ILoggingEvent>();
    var logger = (Logger) LoggerFactory.getLogger("dev.vllmmlx.mcp.audit");
    lines.start();
    logger.setLevel(Level.INFO);
    logger.addAppender(lines);
    try (var bridge = start(Policy.USUAL, Duration.ofSeconds(20), odd());
        var session = open(bridge)) {
      call(session, "odd__big", "{\"tens\": 1, \"token\": \"abc\"}");
      assertThat(lines.list)
          .extracting(ILoggingEvent::getFormattedMessage)
          .singleElement()
          .asString()
          .startsWith("r1 odd__big {\"tens\":1,\"token\":\"***\"} -> ok, 10 characters in ");
    } finally {
      logger.detachAppender(lines);
      logger.setLevel(null);
    }
  }

  @Test
  void closingEndsEveryProcess() throws Exception {
    var bridge =
        start(
            Policy.USUAL,
            Duration.ofSeconds(20),
            odd(),
            Servers.config("time", Servers.time()),
            Servers.config("all", Servers.everything()));
    var pids = bridge.servers().stream().map(server -> server.pid().orElseThrow()).toList();
    assertThat(pids).hasSize(3);
    bridge.close();
    assertThat(bridge.servers()).allMatch(server -> server.state() == ServerState.CLOSED);
    assertThat(pids)
        .noneMatch(pid -> ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isPresent());
    assertThat(bridge.catalogue().tools()).isEmpty();
  }
}
