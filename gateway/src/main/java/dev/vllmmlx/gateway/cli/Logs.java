package dev.vllmmlx.gateway.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/** Sets how much is logged. The layout is in {@code logback.xml}. */
final class Logs {
  private Logs() {}

  static void configure(String level) {
    var own = (Logger) LoggerFactory.getLogger("dev.vllmmlx");
    own.setLevel(Level.toLevel(level, Level.INFO));
  }
}
