package dev.vllmmlx.mcp.connection;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a server writes to its standard error, in our log: so many lines a while, the last ones kept
 * for saying why it ended. Used by any thread.
 */
final class ServerLog {
  private static final Logger LOG = LoggerFactory.getLogger("dev.vllmmlx.mcp.server");
  private static final Pattern CONTROL = Pattern.compile("\u001b\\[[0-9;]*[A-Za-z]|\\p{Cntrl}");
  private static final int LONGEST = 2_000;
  private static final int KEPT = 5;
  private static final int LINES_PER_WINDOW = 200;
  private static final long WINDOW_NANOS = 10_000_000_000L;

  private final String server;
  private final Deque<String> last = new ArrayDeque<>();
  private long windowStart = System.nanoTime();
  private int inWindow;
  private long dropped;

  ServerLog(String server) {
    this.server = server;
  }

  /** Takes a line; never waits. */
  synchronized void line(String text) {
    var clean = CONTROL.matcher(text).replaceAll("").strip();
    if (clean.isEmpty()) {
      return;
    }
    if (clean.length() > LONGEST) {
      clean = clean.substring(0, LONGEST) + "...";
    }
    if (last.size() == KEPT) {
      last.removeFirst();
    }
    last.addLast(clean);
    var now = System.nanoTime();
    if (now - windowStart > WINDOW_NANOS) {
      if (dropped > 0) {
        LOG.warn("[{}] {} lines were left out", server, dropped);
      }
      windowStart = now;
      inWindow = 0;
      dropped = 0;
    }
    if (++inWindow > LINES_PER_WINDOW) {
      dropped++;
    } else {
      LOG.info("[{}] {}", server, clean);
    }
  }

  /** The last lines, for a message; empty if there were none. */
  synchronized String lastLines() {
    return String.join(" | ", last);
  }
}
