package dev.vllmmlx.mcp.connection;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What is known of a server at a moment.
 *
 * @param name its key in the configuration
 * @param type its transport
 * @param state how it is
 * @param reason why it is not ready
 * @param since when it got into this state
 * @param retryAt when it will be tried again
 * @param starts how often it has been connected
 * @param pid its process, if it is our child
 * @param self what it says of itself; absent until it was connected
 * @param tools all that it lists, the ones that the configuration blocks included
 * @param resources are listed, and not used
 * @param prompts are listed, and not used
 */
public record ServerStatus(
    String name,
    String type,
    ServerState state,
    Optional<String> reason,
    Instant since,
    Optional<Instant> retryAt,
    int starts,
    OptionalLong pid,
    Optional<Self> self,
    List<ServerTool> tools,
    List<ServerItem> resources,
    List<ServerItem> prompts) {

  public ServerStatus {
    Objects.requireNonNull(name);
    Objects.requireNonNull(type);
    Objects.requireNonNull(state);
    Objects.requireNonNull(reason);
    Objects.requireNonNull(since);
    Objects.requireNonNull(retryAt);
    Objects.requireNonNull(pid);
    Objects.requireNonNull(self);
    tools = List.copyOf(tools);
    resources = List.copyOf(resources);
    prompts = List.copyOf(prompts);
  }

  /**
   * What a server says of itself.
   *
   * @param program its program's name
   * @param version its program's version
   * @param protocol the version of MCP that was agreed on
   */
  public record Self(String program, String version, String protocol) {}
}
