package dev.vllmmlx.hub;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Keeps what it hears, for tests. */
final class RecordedProgress implements Progress {
  private final List<String> events = new ArrayList<>();
  private final Map<String, Long> bytes = new HashMap<>();

  /** Everything but single advances, in order. */
  synchronized List<String> events() {
    return List.copyOf(events);
  }

  /** Bytes of a file so far: those that were here and those that came. */
  synchronized long bytes(String file) {
    return bytes.getOrDefault(file, 0L);
  }

  @Override
  public synchronized void note(String message) {
    events.add("note " + message);
  }

  @Override
  public synchronized void planned(String what, int files, long totalBytes) {
    events.add("planned " + what + " " + files);
  }

  @Override
  public synchronized void fileStarted(String file, long totalBytes, long presentBytes) {
    events.add("started " + file + " " + presentBytes + "/" + totalBytes);
    bytes.put(file, presentBytes);
  }

  @Override
  public synchronized void advanced(String file, long more) {
    bytes.merge(file, more, Long::sum);
  }

  @Override
  public synchronized void fileDone(String file) {
    events.add("done " + file);
  }

  @Override
  public synchronized void ended() {
    events.add("ended");
  }
}
