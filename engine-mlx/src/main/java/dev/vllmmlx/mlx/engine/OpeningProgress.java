package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.hub.Progress;
import dev.vllmmlx.spi.EngineContext;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Passes a download's progress on in the SPI's terms: how much of a file is done. */
final class OpeningProgress implements Progress {
  private record Part(long done, long total) {}

  private final EngineContext.Progress progress;
  private final Map<String, Part> parts = new ConcurrentHashMap<>();

  OpeningProgress(EngineContext.Progress progress) {
    this.progress = progress;
  }

  @Override
  public void fileStarted(String file, long totalBytes, long presentBytes) {
    report(file, new Part(presentBytes, totalBytes));
  }

  @Override
  public void advanced(String file, long bytes) {
    var part = parts.getOrDefault(file, new Part(0, -1));
    report(file, new Part(part.done() + bytes, part.total()));
  }

  @Override
  public void fileDone(String file) {
    var part = parts.getOrDefault(file, new Part(0, 0));
    report(file, new Part(part.total(), part.total()));
  }

  private void report(String file, Part part) {
    parts.put(file, part);
    progress.advanced(file, part.done(), part.total());
  }
}
