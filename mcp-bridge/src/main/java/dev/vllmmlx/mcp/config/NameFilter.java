package dev.vllmmlx.mcp.config;

import java.util.List;
import java.util.Optional;

/**
 * Which names are let through.
 *
 * @param allowed only these; absent for all
 * @param blocked never these, whatever is allowed
 */
public record NameFilter(Optional<List<NamePattern>> allowed, List<NamePattern> blocked) {
  /** Lets everything through. */
  public static final NameFilter ALL = new NameFilter(Optional.empty(), List.of());

  public NameFilter {
    allowed = allowed.map(List::copyOf);
    blocked = List.copyOf(blocked);
  }

  /** Whether this name is let through. */
  public boolean allows(String name) {
    return blocked.stream().noneMatch(pattern -> pattern.matches(name))
        && allowed
            .map(patterns -> patterns.stream().anyMatch(pattern -> pattern.matches(name)))
            .orElse(true);
  }
}
