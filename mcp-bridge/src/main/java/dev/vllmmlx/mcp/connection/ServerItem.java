package dev.vllmmlx.mcp.connection;

import java.util.Objects;
import java.util.Optional;

/**
 * A resource or a prompt that a server has. They are listed and not used.
 *
 * @param name a prompt's name or a resource's URI
 * @param description what it is
 */
public record ServerItem(String name, Optional<String> description) {
  public ServerItem {
    Objects.requireNonNull(name);
    Objects.requireNonNull(description);
  }
}
