package dev.vllmmlx.gateway.http;

import static dev.vllmmlx.gateway.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.gateway.ScriptedEngine;
import dev.vllmmlx.gateway.TestServer;
import dev.vllmmlx.gateway.mcp.McpMode;
import dev.vllmmlx.gateway.mcp.McpTools;
import dev.vllmmlx.gateway.mcp.RealServers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code /v1/mcp/...} in front of real servers. */
class McpRoutesTest {
  private static final String EXECUTE = "/v1/mcp/execute";

  @TempDir static Path folder;
  private static McpTools mcp;
  private static ScriptedEngine engine;
  private static TestServer server;

  @BeforeAll
  static void start() {
    mcp =
        RealServers.start(
            folder, McpMode.AUTO, "{'mcpServers': {'off': {'command': 'x', 'disabled': true}}}");
    engine = new ScriptedEngine();
    server = new TestServer(engine, UnaryOperator.identity(), Optional.of(mcp));
  }

  @AfterAll
  static void end() {
    server.close();
    engine.close();
    mcp.bridge().close();
  }

  @Test
  void showsServersAsTheyAre() {
    var servers = json(server.get("/v1/mcp/servers")).get("data");
    assertThat(servers.valueStream().map(it -> it.get("name").stringValue()))
        .containsExactly("time", "odd", "gone", "off");
    assertThat(servers.valueStream().map(it -> it.get("state").stringValue()))
        .containsExactly("ready", "ready", "failed", "disabled");
    assertThat(servers.get(0).get("tools").valueStream().map(it -> it.stringValue()))
        .contains("time__get_current_time");
    assertThat(servers.get(2).get("reason").stringValue()).contains("/no/such/program");
  }

  @Test
  void listsToolsAsARequestWould() {
    var tools = json(server.get("/v1/mcp/tools")).get("data");
    var time =
        StreamSupport.stream(tools.spliterator(), false)
            .filter(it -> it.at("/function/name").stringValue().equals("time__get_current_time"))
            .findFirst()
            .orElseThrow();
    assertThat(time.get("type").stringValue()).isEqualTo("function");
    assertThat(time.at("/function/parameters/properties/timezone/type").stringValue())
        .isEqualTo("string");
    assertThat(time.get("server").stringValue()).isEqualTo("time");
  }

  @Test
  void runsATool() {
    var reply =
        server.post(
            EXECUTE, "{'tool_name': 'time__get_current_time', 'arguments': {'timezone': 'UTC'}}");
    assertThat(reply.statusCode()).isEqualTo(200);
    assertThat(json(reply).get("is_error").booleanValue()).isFalse();
    assertThat(json(reply).get("content").stringValue()).contains("\"timezone\": \"UTC\"");
  }

  @Test
  void tellsWhatAToolAndItsSchemaSayAgainstACall() {
    var failed =
        json(
            server.post(
                EXECUTE,
                "{'tool_name': 'time__get_current_time', 'arguments': {'timezone': 'Moon/Base'}}"));
    assertThat(failed.get("is_error").booleanValue()).isTrue();
    assertThat(failed.get("outcome").stringValue()).isEqualTo("tool_error");
    var refused = json(server.post(EXECUTE, "{'tool_name': 'time__get_current_time'}"));
    assertThat(refused.get("outcome").stringValue()).isEqualTo("refused");
    assertThat(refused.get("content").stringValue()).contains("timezone");
  }

  @Test
  void refusesWhatNamesNoToolOrIsNoCall() {
    var unknown = server.post(EXECUTE, "{'tool_name': 'time__travel', 'arguments': {}}");
    assertThat(unknown.statusCode()).isEqualTo(404);
    assertThat(json(unknown).at("/error/code").stringValue()).isEqualTo("tool_not_found");
    for (var wrong :
        List.of(
            "{'arguments': {}}",
            "{'tool_name': 5}",
            "{'tool_name': 'time__get_current_time', 'arguments': '{}'}",
            "{'tool_name': 'time__get_current_time', 'server': 'time'}",
            "[]")) {
      assertThat(server.post(EXECUTE, wrong).statusCode()).as(wrong).isEqualTo(400);
    }
  }

  @Test
  void aClientThatLeavesCancelsItsCall() throws Exception {
    try (var socket = server.connect()) {
      socket
          .getOutputStream()
          .write(
              TestServer.wire(
                  EXECUTE, "{'tool_name': 'odd__hang', 'arguments': {'name': 'left'}}"));
      Thread.sleep(300);
    }
    Awaitility.await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> Files.exists(folder.resolve("cancelled")));
  }

  @Test
  void healthCountsServersAndToolsAndMetricsTheCalls() {
    server.post(EXECUTE, "{'tool_name': 'odd__echo', 'arguments': {'text': 'x'}}");
    server.post(EXECUTE, "{'tool_name': 'odd__fail', 'arguments': {}}");
    var health = json(server.get("/health")).get("mcp");
    assertThat(health.at("/servers/total").intValue()).isEqualTo(4);
    assertThat(health.at("/servers/ready").intValue()).isEqualTo(2);
    assertThat(health.at("/servers/disabled").intValue()).isEqualTo(1);
    assertThat(health.get("tools").intValue()).isEqualTo(mcp.bridge().catalogue().tools().size());
    assertThat(server.get("/metrics").body())
        .containsPattern("vllmmlx_mcp_tool_calls_total\\{[^}]*tool=\"odd__echo\"[^}]*} 1.0")
        .containsPattern("vllmmlx_mcp_tool_errors_total\\{[^}]*tool=\"odd__echo\"[^}]*} 0.0")
        .containsPattern("vllmmlx_mcp_tool_errors_total\\{[^}]*tool=\"odd__fail\"[^}]*} 1.0")
        .contains("vllmmlx_mcp_tool_seconds_total");
    var calls = json(server.get("/v1/mcp/status")).get("calls");
    assertThat(calls.valueStream().map(it -> it.get("tool").stringValue())).contains("odd__fail");
  }

  @Test
  void needsTheKeyAndIsNotThereWithoutServers() {
    try (var locked =
        new TestServer(
            engine, settings -> settings.withKeys(List.of("secret")), Optional.of(mcp))) {
      assertThat(
              locked
                  .post(EXECUTE, "{'tool_name': 'odd__echo', 'arguments': {'text': 'x'}}")
                  .statusCode())
          .isEqualTo(401);
    }
    try (var without = new TestServer(engine)) {
      assertThat(without.get("/v1/mcp/tools").statusCode()).isEqualTo(404);
      assertThat(without.post(EXECUTE, "{}").statusCode()).isEqualTo(404);
    }
  }
}
