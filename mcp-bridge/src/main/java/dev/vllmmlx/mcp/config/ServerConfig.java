package dev.vllmmlx.mcp.config;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * One server.
 *
 * @param name its key in the file
 * @param endpoint where it is
 * @param timeout what a call of its tools may take; absent for {@link McpConfig#toolTimeout}
 * @param disabled in the file, but not to be started
 * @param inject whether its tools join requests that do not ask for any in particular
 * @param execute whether calls of its tools are run here where a request does not say
 * @param autoApproved the only tools that are run here unasked: calls of the others are given to
 *     the client; absent for all
 * @param tools which of its tools exist at all for us, by the server's own names
 */
public record ServerConfig(
    String name,
    Endpoint endpoint,
    Optional<Duration> timeout,
    boolean disabled,
    boolean inject,
    boolean execute,
    Optional<List<NamePattern>> autoApproved,
    NameFilter tools) {

  public ServerConfig {
    Objects.requireNonNull(name);
    Objects.requireNonNull(endpoint);
    Objects.requireNonNull(timeout);
    autoApproved = autoApproved.map(List::copyOf);
    Objects.requireNonNull(tools);
  }

  /** Whether calls of this tool are run here where a request does not say. */
  public boolean runsUnasked(String tool) {
    return execute
        && autoApproved
            .map(patterns -> patterns.stream().anyMatch(pattern -> pattern.matches(tool)))
            .orElse(true);
  }
}
