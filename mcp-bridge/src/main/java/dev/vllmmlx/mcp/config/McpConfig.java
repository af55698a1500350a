package dev.vllmmlx.mcp.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * A configuration file.
 *
 * @param source where it was read
 * @param servers in the file's order, disabled ones included
 * @param policy what holds for all of them
 * @param maxToolRounds how often one chat may go back to the model with results
 * @param toolTimeout what a call may take
 * @param warnings what was read over, for the log
 */
public record McpConfig(
    Path source,
    List<ServerConfig> servers,
    Policy policy,
    int maxToolRounds,
    Duration toolTimeout,
    List<String> warnings) {

  public static final int USUAL_ROUNDS = 10;
  public static final Duration USUAL_TIMEOUT = Duration.ofSeconds(60);

  public McpConfig {
    Objects.requireNonNull(source);
    servers = List.copyOf(servers);
    Objects.requireNonNull(policy);
    Objects.requireNonNull(toolTimeout);
    warnings = List.copyOf(warnings);
  }
}
