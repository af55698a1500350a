package dev.vllmmlx.mcp.tool;

import dev.vllmmlx.mcp.config.NamePattern;
import dev.vllmmlx.mcp.config.Policy;
import dev.vllmmlx.mcp.config.ServerConfig;
import dev.vllmmlx.mcp.connection.ServerState;
import dev.vllmmlx.mcp.connection.ServerStatus;
import dev.vllmmlx.mcp.connection.ServerTool;
import dev.vllmmlx.spi.Tool;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The tools that can be called at a moment, by their names for models. Immutable. */
public final class ToolCatalogue {
  private final Map<String, McpTool> tools;
  private final Set<String> servers;

  private ToolCatalogue(Map<String, McpTool> tools, Set<String> servers) {
    this.tools = tools;
    this.servers = servers;
  }

  /** Nothing. */
  public static ToolCatalogue empty() {
    return new ToolCatalogue(Map.of(), Set.of());
  }

  /**
   * What connected servers have and the configuration lets through.
   *
   * @param configs every server, in the configuration's order
   * @param statuses of the same servers
   */
  public static ToolCatalogue of(
      List<ServerConfig> configs, Policy policy, Function<ServerConfig, ServerStatus> statuses) {
    var parts = FunctionNames.ofServers(configs.stream().map(ServerConfig::name).toList());
    var tools = new LinkedHashMap<String, McpTool>();
    for (var config : configs) {
      var status = statuses.apply(config);
      if (status.state() != ServerState.READY) {
        continue;
      }
      // A server may list a name twice; the first is taken.
      var listed =
          status.tools().stream()
              .collect(
                  Collectors.toMap(
                      ServerTool::name, tool -> tool, (first, _) -> first, LinkedHashMap::new));
      var names = FunctionNames.ofTools(parts.get(config.name()), listed.keySet());
      listed.forEach(
          (name, tool) -> {
            var forModels = names.get(name);
            if (config.tools().allows(name) && policy.tools().allows(forModels)) {
              tools.put(forModels, tool(forModels, config, tool));
            }
          });
    }
    return new ToolCatalogue(
        Collections.unmodifiableMap(tools),
        configs.stream().map(ServerConfig::name).collect(Collectors.toUnmodifiableSet()));
  }

  private static McpTool tool(String forModels, ServerConfig config, ServerTool tool) {
    return new McpTool(
        new Tool(forModels, tool.description(), tool.inputSchema(), false),
        config.name(),
        tool.name(),
        config.inject(),
        config.runsUnasked(tool.name()));
  }

  /** In the configuration's order, then each server's own. */
  public List<McpTool> tools() {
    return List.copyOf(tools.values());
  }

  /** The way back from a name for models. */
  public Optional<McpTool> find(String name) {
    return Optional.ofNullable(tools.get(name));
  }

  /**
   * What a request gets.
   *
   * @throws ToolSelection.UnknownException if it names a server that is not configured, or a tool
   *     that is not there; a configured server that is not connected has no tools
   */
  public ToolCatalogue select(ToolSelection selection) {
    return switch (selection) {
      case ToolSelection.None _ -> new ToolCatalogue(Map.of(), servers);
      case ToolSelection.Some some -> select(some);
    };
  }

  private ToolCatalogue select(ToolSelection.Some some) {
    some.servers().orElse(List.of()).forEach(this::require);
    some.tools().orElse(List.of()).forEach(this::require);
    var chosen = new LinkedHashMap<String, McpTool>();
    tools.forEach(
        (name, tool) -> {
          var byServer =
              some.servers()
                  .map(names -> names.contains(tool.server()))
                  .orElse(tool.inject() || some.tools().isPresent());
          var byTool =
              some.tools()
                  .map(patterns -> patterns.stream().anyMatch(pattern -> pattern.matches(name)))
                  .orElse(true);
          if (byServer && byTool) {
            var runs = some.execute().orElse(tool.runsUnasked());
            chosen.put(
                name,
                new McpTool(
                    tool.definition(), tool.server(), tool.serverTool(), tool.inject(), runs));
          }
        });
    return new ToolCatalogue(Collections.unmodifiableMap(chosen), servers);
  }

  /** All but these names. */
  public ToolCatalogue without(Set<String> names) {
    var kept = new LinkedHashMap<>(tools);
    kept.keySet().removeAll(names);
    return new ToolCatalogue(Collections.unmodifiableMap(kept), servers);
  }

  private void require(String server) {
    if (!servers.contains(server)) {
      throw new ToolSelection.UnknownException(
          "servers",
          "there is no MCP server \"%s\"; there are %s".formatted(server, sorted(servers)));
    }
  }

  private void require(NamePattern tool) {
    if (tools.keySet().stream().noneMatch(tool::matches)) {
      throw new ToolSelection.UnknownException(
          "tools", "there is no MCP tool \"%s\" at the moment".formatted(tool));
    }
  }

  private static List<String> sorted(Set<String> names) {
    var sorted = new ArrayList<>(names);
    sorted.sort(null);
    return sorted;
  }
}
