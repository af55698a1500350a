package dev.vllmmlx.mcp.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vllmmlx.mcp.Servers;
import dev.vllmmlx.mcp.config.Endpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Servers that crash, hang, flood, lie, change and come late. */
final class OddServersTest {
  @TempDir Path folder;

  private static McpServer start(Endpoint endpoint) throws InterruptedException {
    return start(endpoint, Servers.QUICK);
  }

  private static McpServer start(Endpoint endpoint, ConnectionLimits limits)
      throws InterruptedException {
    var server =
        new McpServer(
            Servers.config("odd", endpoint),
            Map.of("PATH", System.getenv("PATH"), "HOME", "/home/ann", "SECRET", "s"),
            limits,
            () -> {});
    server.start();
    assertThat(server.awaitSettled(Duration.ofSeconds(20))).isTrue();
    return server;
  }

  private static CompletableFuture<ToolReply> begin(
      McpServer server, String tool, Map<String, Object> arguments) {
    return server.call(tool, arguments, tool + "-token", ProgressListener.NONE);
  }

  private static String call(McpServer server, String tool) throws Exception {
    return begin(server, tool, Map.of()).get(10, TimeUnit.SECONDS).text();
  }

  private static void awaitReady(McpServer server, int starts) {
    await()
        .atMost(Duration.ofSeconds(15))
        .until(
            () ->
                server.status().state() == ServerState.READY && server.status().starts() == starts);
  }

  @Test
  void aServerThatCrashesInACallFailsItAtOnceAndIsStartedAgain() throws Exception {
    try (var server = start(Servers.odd())) {
      var other = begin(server, "hang", Map.of());
      assertThatThrownBy(() -> call(server, "crash"))
          .hasMessageContaining("the connection was lost: ended with status 7, saying: going down");
      assertThatThrownBy(() -> other.get(1, TimeUnit.SECONDS))
          .hasMessageContaining("ended with status 7");

      awaitReady(server, 2);
      assertThat(begin(server, "echo", Map.of("text", "again")).get().text()).isEqualTo("again");
    }
  }

  @Test
  void aServerKilledFromOutsideInACallFailsItAtOnce() throws Exception {
    try (var server = start(Servers.odd())) {
      var hanging = begin(server, "hang", Map.of());
      ProcessHandle.of(server.status().pid().orElseThrow()).orElseThrow().destroyForcibly();
      assertThatThrownBy(() -> hanging.get(5, TimeUnit.SECONDS))
          .hasMessageContaining("ended with status 137");
      awaitReady(server, 2);
    }
  }

  @Test
  void aCallThatIsCancelledFailsAndTheServerIsToldAndItsLateAnswerIsDropped() throws Exception {
    var mark = folder.resolve("mark");
    try (var server = start(Servers.odd("mark=" + mark))) {
      var hanging = begin(server, "hang", Map.of("name", "first"));
      await().until(() -> !hanging.isDone()); // It is out.
      Thread.sleep(100);
      server.cancel("hang-token", "nobody waits");
      assertThatThrownBy(() -> hanging.get(1, TimeUnit.SECONDS))
          .hasMessageContaining("cancelled: nobody waits");
      await().until(() -> Files.exists(mark) && Files.size(mark) > 0);
      assertThat(Files.readString(mark)).isEqualTo("first: nobody waits\n");
      assertThat(begin(server, "echo", Map.of("text", "on")).get().text()).isEqualTo("on");
      assertThat(server.status().starts()).isEqualTo(1);
    }
  }

  @Test
  void linesThatAreNoMessagesAreReadOver() throws Exception {
    try (var server = start(Servers.odd())) {
      assertThat(call(server, "garbage")).isEqualTo("still fine");
      assertThat(server.status().starts()).isEqualTo(1);
    }
  }

  @Test
  void anEndlessLineEndsTheConnectionAndNotUs() throws Exception {
    try (var server = start(Servers.odd())) {
      assertThatThrownBy(() -> call(server, "flood"))
          .hasMessageContaining("sent a line of more than 1048576 bytes");
      awaitReady(server, 2);
    }
  }

  @Test
  void aFloodOfErrorsBlocksNobody() throws Exception {
    try (var server = start(Servers.odd())) {
      assertThat(call(server, "flood_errors")).isEqualTo("said it all");
    }
  }

  @Test
  void changedToolsAreListedAgainAndNotForEachOfFiftyNotices() throws Exception {
    try (var server = start(Servers.odd())) {
      assertThat(call(server, "morph")).isEqualTo("changed");
      await()
          .untilAsserted(
              () ->
                  assertThat(server.status().tools())
                      .extracting(ServerTool::name)
                      .contains("extra_0"));
    }
  }

  @Test
  void everyPageIsReadButNotAnEndlessOne() throws Exception {
    try (var server = start(Servers.odd("pages"))) {
      assertThat(server.status().tools()).hasSize(14);
    }
    try (var server = start(Servers.odd("endless"))) {
      assertThat(server.status().state()).isEqualTo(ServerState.FAILED);
      assertThat(server.status().reason().orElseThrow())
          .contains("tools/list: more than 1000 items or pages");
    }
  }

  @Test
  void questionsToUsAreDeclined() throws Exception {
    try (var server = start(Servers.odd())) {
      assertThat(call(server, "ask"))
          .contains("\"elicited\": {\"action\": \"decline\"}")
          .contains("this client does not sample for servers");
    }
  }

  @Test
  void aChildInheritsNothingButWhatItNeeds() throws Exception {
    var plain = Servers.odd();
    var endpoint =
        new Endpoint.Stdio(
            plain.command(), plain.args(), Map.of("GIVEN", "g"), Optional.of(folder));
    try (var server = start(endpoint)) {
      assertThat(call(server, "environment"))
          .contains("\"HOME\": \"/home/ann\"", "\"GIVEN\": \"g\"", "\"PATH\"")
          .doesNotContain("SECRET");
    }
  }

  @Test
  void aServerThatCannotStartSaysWhyAndComesLater() throws Exception {
    var needed = folder.resolve("needed");
    try (var server = start(Servers.odd("needs=" + needed))) {
      assertThat(server.status().state()).isEqualTo(ServerState.FAILED);
      assertThat(server.status().reason().orElseThrow())
          .isEqualTo("ended with status 3, saying: cannot start without " + needed);
      assertThat(server.status().retryAt()).isPresent();

      Files.createFile(needed);
      awaitReady(server, 1);
    }
  }

  @Test
  void aCommandThatIsNotThereSaysSo() throws Exception {
    try (var server = start(Servers.stdio("no-such-program-here"))) {
      assertThat(server.status().reason().orElseThrow())
          .startsWith("cannot be started: ")
          .contains("No such file");
    }
  }

  @Test
  void aServerThatDoesNotAnswerIsNotWaitedForForEver() throws Exception {
    var impatient =
        new ConnectionLimits(
            Duration.ofMillis(500),
            Duration.ofMillis(100),
            Duration.ofMillis(400),
            Duration.ofSeconds(1),
            1 << 20,
            1_000);
    try (var server = start(Servers.odd("mute"), impatient)) {
      assertThat(server.status().reason()).contains("the handshake: no answer in time");
    }
  }

  @Test
  void closingEndsGrandchildrenAndWhoIgnoresTheirTermination() throws Exception {
    List<Long> pids;
    try (var server = start(Servers.odd("deaf"))) {
      pids = List.of(server.status().pid().orElseThrow(), Long.parseLong(call(server, "spawn")));
      assertThat(pids).allMatch(pid -> ProcessHandle.of(pid).isPresent());
    }
    assertThat(pids).noneMatch(OddServersTest::lives);
  }

  @Test
  void aCrashLeavesNoGrandchildBehind() throws Exception {
    try (var server = start(Servers.odd())) {
      var grandchild = Long.parseLong(call(server, "spawn"));
      assertThatThrownBy(() -> call(server, "crash")).hasMessageContaining("status 7");
      await().atMost(Duration.ofSeconds(10)).until(() -> !lives(grandchild));
    }
  }

  /** A process with a server that does not end by itself, and with a grandchild. */
  static final class Killed {
    public static void main(String[] arguments) throws Exception {
      var server = start(Servers.odd("deaf"));
      System.out.println(server.status().pid().orElseThrow() + " " + call(server, "spawn"));
      Thread.sleep(Duration.ofMinutes(2));
    }
  }

  @Test
  void nothingIsLeftBehindWhenWeAreKilled() throws Exception {
    var java = Path.of(System.getProperty("java.home"), "bin/java").toString();
    var path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    var us =
        new ProcessBuilder(java, "-cp", path, Killed.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    List<Long> pids;
    try (var lines = us.inputReader()) {
      var last = lines.lines().filter(line -> line.matches("[0-9]+ [0-9]+")).findFirst();
      pids = Stream.of(last.orElseThrow().split(" ")).map(Long::valueOf).toList();
      assertThat(pids).allMatch(OddServersTest::lives);
    } finally {
      us.destroyForcibly();
    }
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> assertThat(pids).noneMatch(OddServersTest::lives));
  }

  @Test
  void aGuardIsGoneWithItsFamily() throws Exception {
    try (var server = start(Servers.odd())) {
      assertThat(server.status().state()).isEqualTo(ServerState.READY);
      assertThat(ProcessHandle.current().children().anyMatch(OddServersTest::isGuard)).isTrue();
    }
    assertThat(ProcessHandle.current().children().filter(OddServersTest::isGuard)).isEmpty();
  }

  private static boolean isGuard(ProcessHandle process) {
    return process.info().commandLine().filter(it -> it.contains("mcp-guard")).isPresent();
  }

  @Test
  void closingDoesNotWaitForAServerThatIsStarting() throws Exception {
    var server =
        new McpServer(
            Servers.config("mute", Servers.odd("mute")), System.getenv(), Servers.QUICK, () -> {});
    server.start();
    Thread.sleep(300);
    var began = System.nanoTime();
    server.close();
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(6));
    assertThat(server.status().state()).isEqualTo(ServerState.CLOSED);
  }

  @Test
  void aServerOverHttpThatGoesAwayIsNoticedInACallAndFoundAgain() throws Exception {
    var port = Servers.freePort();
    var first = Servers.OverHttp.start("streamableHttp", port);
    try (var server = start(first.endpoint())) {
      var slow =
          server.call(
              "trigger-long-running-operation",
              Map.of("duration", 60, "steps", 60),
              "slow",
              ProgressListener.NONE);
      Thread.sleep(200);
      first.close();
      assertThatThrownBy(() -> slow.get(10, TimeUnit.SECONDS))
          .hasMessageContaining("the connection was lost: ");
      await().until(() -> server.status().state() == ServerState.FAILED);
      assertThat(server.status().reason().orElseThrow()).contains("refused");
      try (var _ = Servers.OverHttp.start("streamableHttp", port)) {
        awaitReady(server, 2);
      }
    }
  }

  private static boolean lives(long pid) {
    // One that has ended and that nobody has waited for is still listed.
    return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isPresent() && !zombie(pid);
  }

  private static boolean zombie(long pid) {
    try {
      return Files.readString(Path.of("/proc/%d/stat".formatted(pid))).contains(") Z ");
    } catch (java.io.IOException _) {
      return false;
    }
  }
}
