package dev.vllmmlx.mcp.tool;

import dev.vllmmlx.mcp.config.NamePattern;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Which tools a request wants. */
public sealed interface ToolSelection {

  /** No tools: {@code mcp: false}. */
  record None() implements ToolSelection {}

  /**
   * What the configuration says, narrowed. Naming a server or tool brings those in, too, that the
   * configuration does not inject by itself.
   *
   * @param servers only these, by their keys in the configuration; absent for those that the
   *     configuration injects
   * @param tools only these, by their names for models or patterns of them; absent for all
   * @param execute whether calls are run here; absent for what the configuration says
   */
  record Some(
      Optional<List<String>> servers, Optional<List<NamePattern>> tools, Optional<Boolean> execute)
      implements ToolSelection {
    public Some {
      servers = servers.map(List::copyOf);
      tools = tools.map(List::copyOf);
      Objects.requireNonNull(execute);
    }
  }

  /** What a request gets that does not say. */
  static ToolSelection usual() {
    return new Some(Optional.empty(), Optional.empty(), Optional.empty());
  }

  /** A selection names what is not there. */
  final class UnknownException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** {@code servers} or {@code tools}. */
    private final String field;

    UnknownException(String field, String message) {
      super(message);
      this.field = field;
    }

    public String field() {
      return field;
    }
  }
}
