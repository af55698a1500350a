package dev.vllmmlx.mcp.tool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.mcp.Servers;
import dev.vllmmlx.mcp.config.NameFilter;
import dev.vllmmlx.mcp.config.NamePattern;
import dev.vllmmlx.mcp.config.Policy;
import dev.vllmmlx.mcp.config.ServerConfig;
import dev.vllmmlx.mcp.connection.ServerState;
import dev.vllmmlx.mcp.connection.ServerStatus;
import dev.vllmmlx.mcp.connection.ServerTool;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ToolCatalogueTest {
  private static final ServerConfig TIME = Servers.config("time", Servers.stdio("x"));
  private static final ServerConfig QUIET =
      new ServerConfig(
          "quiet",
          Servers.stdio("x"),
          Optional.empty(),
          false,
          false,
          true,
          Optional.of(patterns("read*")),
          new NameFilter(Optional.empty(), patterns("*secret*")));
  private static final ServerConfig GONE = Servers.config("gone", Servers.stdio("x"));

  private final ToolCatalogue catalogue = catalogue(NameFilter.ALL);

  private static ToolCatalogue catalogue(NameFilter policy) {
    var usual = Policy.USUAL;
    return ToolCatalogue.of(
        List.of(TIME, QUIET, GONE),
        new Policy(
            policy,
            Optional.empty(),
            usual.maxResultChars(),
            OptionalInt.empty(),
            usual.callsPerRequest(),
            List.of()),
        server ->
            switch (server.name()) {
              case "time" -> status(server, ServerState.READY, "now", "later", "now");
              case "quiet" -> status(server, ServerState.READY, "read", "write", "my secret");
              default -> status(server, ServerState.FAILED, "lost");
            });
  }

  private static ServerStatus status(ServerConfig server, ServerState state, String... tools) {
    return new ServerStatus(
        server.name(),
        "stdio",
        state,
        Optional.empty(),
        Instant.now(),
        Optional.empty(),
        1,
        OptionalLong.empty(),
        Optional.empty(),
        Stream.of(tools)
            .map(name -> new ServerTool(name, Optional.of("does " + name), Optional.empty()))
            .toList(),
        List.of(),
        List.of());
  }

  private static List<NamePattern> patterns(String... texts) {
    return Stream.of(texts).map(NamePattern::new).toList();
  }

  private static ToolSelection some(List<String> servers, String tools, Boolean execute) {
    return new ToolSelection.Some(
        Optional.ofNullable(servers),
        Optional.ofNullable(tools).map(ToolCatalogueTest::patterns),
        Optional.ofNullable(execute));
  }

  private static List<String> names(ToolCatalogue catalogue) {
    return catalogue.tools().stream().map(McpTool::name).toList();
  }

  @Test
  void holdsWhatConnectedServersHaveAndTheConfigurationLetsThrough() {
    assertThat(names(catalogue))
        .containsExactly("time__now", "time__later", "quiet__read", "quiet__write");
    var read = catalogue.find("quiet__read").orElseThrow();
    assertThat(read.server()).isEqualTo("quiet");
    assertThat(read.serverTool()).isEqualTo("read");
    assertThat(read.definition().description()).contains("does read");
    assertThat(read.runsUnasked()).isTrue();
    assertThat(catalogue.find("quiet__write").orElseThrow().runsUnasked()).isFalse();
    assertThat(catalogue.find("quiet__my_secret")).isEmpty();
    assertThat(names(catalogue(new NameFilter(Optional.of(patterns("*__r*")), List.of()))))
        .containsExactly("quiet__read");
  }

  @Test
  void givesARequestThatDoesNotSayWhatTheConfigurationInjects() {
    assertThat(names(catalogue.select(ToolSelection.usual())))
        .containsExactly("time__now", "time__later");
  }

  @Test
  void givesNothingToARequestThatWantsNone() {
    assertThat(names(catalogue.select(new ToolSelection.None()))).isEmpty();
  }

  @Test
  void givesTheServersAndToolsThatARequestNames() {
    assertThat(names(catalogue.select(some(List.of("quiet"), null, null))))
        .containsExactly("quiet__read", "quiet__write");
    assertThat(names(catalogue.select(some(null, "*e*d", null)))).containsExactly("quiet__read");
    assertThat(names(catalogue.select(some(List.of("time"), "*__now", null))))
        .containsExactly("time__now");
    assertThat(names(catalogue.select(some(List.of("gone"), null, null)))).isEmpty();
    assertThat(names(catalogue.select(some(List.of(), null, null)))).isEmpty();
  }

  @Test
  void letsARequestSayWhetherCallsRun() {
    var asked = catalogue.select(some(List.of("quiet"), null, true));
    assertThat(asked.tools()).allMatch(McpTool::runsUnasked);
    var injected = catalogue.select(some(null, null, false));
    assertThat(injected.tools()).isNotEmpty().noneMatch(McpTool::runsUnasked);
  }

  @Test
  void refusesNamesThatAreNotThere() {
    assertThatThrownBy(() -> catalogue.select(some(List.of("tim"), null, null)))
        .isInstanceOf(ToolSelection.UnknownException.class)
        .hasMessage("there is no MCP server \"tim\"; there are [gone, quiet, time]");
    assertThatThrownBy(() -> catalogue.select(some(null, "gone__lost", null)))
        .hasMessage("there is no MCP tool \"gone__lost\" at the moment");
  }

  @Test
  void leavesTheClientsOwnNamesToTheClient() {
    assertThat(names(catalogue.without(Set.of("time__now", "other"))))
        .containsExactly("time__later", "quiet__read", "quiet__write");
  }
}
