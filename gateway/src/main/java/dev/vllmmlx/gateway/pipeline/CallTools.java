package dev.vllmmlx.gateway.pipeline;

import dev.vllmmlx.mcp.ToolSession;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.Tool;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The tools of a call that are run here, round by round.
 *
 * @param session the tools of MCP servers; the call's own, closed at its end
 * @param otherwise what an answer must be that is no call
 * @param parallel whether one answer may call several
 */
public record CallTools(ToolSession session, Constraint otherwise, boolean parallel) {
  public CallTools {
    Objects.requireNonNull(session);
    Objects.requireNonNull(otherwise);
  }

  /** What answers must be after the first: only that one may be forced to call. */
  Constraint later(List<Tool> tools) {
    return tools.isEmpty()
        ? otherwise
        : either(new Constraint.ToolCalls(false, Optional.empty(), parallel), otherwise);
  }

  /**
   * What an answer must be that may be calls.
   *
   * @param otherwise what it must be if it is no call
   */
  public static Constraint either(Constraint.ToolCalls calls, Constraint otherwise) {
    if (calls.required() || otherwise instanceof Constraint.None) {
      return calls;
    }
    return new Constraint.Either(
        List.of(new Constraint.ToolCalls(true, calls.function(), calls.parallel()), otherwise));
  }
}
