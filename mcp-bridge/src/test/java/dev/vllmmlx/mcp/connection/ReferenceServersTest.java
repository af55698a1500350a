package dev.vllmmlx.mcp.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.mcp.Servers;
import dev.vllmmlx.mcp.config.Endpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The reference servers, as people run them, over every transport. */
final class ReferenceServersTest {
  @TempDir Path folder;

  private static McpServer connect(Endpoint endpoint) throws InterruptedException {
    var server =
        new McpServer(Servers.config("it", endpoint), System.getenv(), Servers.QUICK, () -> {});
    server.start();
    assertThat(server.awaitSettled(Duration.ofSeconds(40))).isTrue();
    assertThat(server.status().state())
        .as("%s", server.status().reason())
        .isEqualTo(ServerState.READY);
    return server;
  }

  private static ToolReply call(McpServer server, String tool, Map<String, Object> arguments)
      throws Exception {
    return server
        .call(tool, arguments, "token-" + tool, ProgressListener.NONE)
        .get(20, TimeUnit.SECONDS);
  }

  @Test
  void everythingOverStandardStreams() throws Exception {
    try (var server = connect(Servers.everything())) {
      exercise(server);
      assertThat(server.status().pid()).isPresent();
    }
  }

  @Test
  void everythingOverStreamableHttp() throws Exception {
    try (var process = Servers.OverHttp.start("streamableHttp", Servers.freePort());
        var server = connect(process.endpoint())) {
      exercise(server);
      assertThat(server.status().pid()).isEmpty();
    }
  }

  @Test
  void everythingOverTheOldTransport() throws Exception {
    try (var process = Servers.OverHttp.start("sse", Servers.freePort());
        var server = connect(process.sse())) {
      exercise(server);
    }
  }

  private static void exercise(McpServer server) throws Exception {
    var status = server.status();
    assertThat(status.self().orElseThrow().program()).contains("everything");
    assertThat(status.tools()).extracting(ServerTool::name).contains("echo", "get-sum");
    assertThat(status.resources()).isNotEmpty();
    assertThat(status.prompts()).isNotEmpty();

    assertThat(call(server, "echo", Map.of("message", "ahoy")))
        .isEqualTo(new ToolReply("Echo: ahoy", java.util.Optional.empty(), false));
    assertThat(call(server, "get-tiny-image", Map.of()).text())
        .contains("[image image/png, ", " bytes, not shown]");
    var weather = call(server, "get-structured-content", Map.of("location", "Chicago"));
    assertThat(weather.structured().orElseThrow())
        .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.MAP)
        .containsKeys("temperature", "conditions");
    assertThat(weather.text()).containsOnlyOnce("conditions");

    var notices = Collections.synchronizedList(new ArrayList<ProgressListener.Progress>());
    var slow =
        server
            .call(
                "trigger-long-running-operation",
                Map.of("duration", 0.4, "steps", 4),
                "slow",
                notices::add)
            .get(20, TimeUnit.SECONDS);
    assertThat(slow.isError()).isFalse();
    assertThat(notices).extracting(ProgressListener.Progress::done).contains(1.0, 2.0, 3.0);
    assertThat(notices.getFirst().total()).hasValue(4);

    // The server says that it failed; an unknown tool is the same, or the protocol's error.
    var wrong = server.call("get-sum", Map.of("a", "x"), "wrong", ProgressListener.NONE);
    assertThat(wrong.handle((reply, e) -> e != null || reply.isError()).get()).isTrue();
    var unknown = server.call("no-such", Map.of(), "unknown", ProgressListener.NONE);
    assertThat(unknown.handle((reply, e) -> e != null || reply.isError()).get()).isTrue();
    assertThat(call(server, "echo", Map.of("message", "still here")).isError()).isFalse();
  }

  @Test
  void filesystemReadsAndRefuses() throws Exception {
    Files.writeString(folder.resolve("note.txt"), "forty-two");
    try (var server = connect(Servers.filesystem(folder))) {
      var real = folder.toRealPath();
      assertThat(
              call(server, "read_text_file", Map.of("path", real.resolve("note.txt").toString()))
                  .text())
          .isEqualTo("forty-two");
      assertThat(call(server, "read_text_file", Map.of("path", "/etc/passwd")).isError()).isTrue();
    }
  }

  @Test
  void timeTellsTheTime() throws Exception {
    try (var server = connect(Servers.time())) {
      assertThat(server.status().tools())
          .extracting(ServerTool::name)
          .isEqualTo(List.of("get_current_time", "convert_time"));
      assertThat(call(server, "get_current_time", Map.of("timezone", "Asia/Tokyo")).text())
          .contains("+09:00");
    }
  }

  @Test
  void leavesNoProcessBehind() throws Exception {
    long pid;
    try (var server = connect(Servers.time())) {
      pid = server.status().pid().orElseThrow();
      assertThat(ProcessHandle.of(pid)).isPresent();
    }
    assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
  }

  @Test
  void failsACallWhoseServerIsNotThere() throws Exception {
    var server = connect(Servers.time());
    server.close();
    assertThat(server.status().state()).isEqualTo(ServerState.CLOSED);
    assertThatThrownBy(() -> call(server, "get_current_time", Map.of("timezone", "UTC")))
        .hasRootCauseInstanceOf(ConnectionException.class)
        .hasMessageContaining("not connected");
  }
}
