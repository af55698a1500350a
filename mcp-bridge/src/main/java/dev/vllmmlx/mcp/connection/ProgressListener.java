package dev.vllmmlx.mcp.connection;

import java.util.Optional;
import java.util.OptionalDouble;

/** Told how far a running call is. Called by a transport's thread; must not wait. */
@FunctionalInterface
public interface ProgressListener {
  /** Hears nothing. */
  ProgressListener NONE = _ -> {};

  void progressed(Progress progress);

  /**
   * How far a call is.
   *
   * @param done grows with each notice, in units of the server's own
   * @param total of the same units, if it is known
   * @param message for people
   */
  record Progress(double done, OptionalDouble total, Optional<String> message) {}
}
