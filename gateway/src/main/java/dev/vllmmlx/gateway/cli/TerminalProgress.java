package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.hub.Progress;
import dev.vllmmlx.spi.EngineContext;
import java.util.HashMap;
import java.util.Map;

/** Shows what an engine says while it opens, as the hub shows its downloads. */
final class TerminalProgress implements EngineContext.Progress {
  private final Progress bar;
  private final Map<String, Long> seen = new HashMap<>();

  TerminalProgress(Progress bar) {
    this.bar = bar;
  }

  @Override
  public synchronized void advanced(String step, long done, long total) {
    var before = seen.put(step, done);
    if (before == null) {
      bar.planned(step, 1, total);
      bar.fileStarted(step, total, done);
    } else {
      bar.advanced(step, done - before);
    }
    if (done == total && (before == null || before != done)) {
      bar.fileDone(step);
      bar.ended();
    }
  }
}
