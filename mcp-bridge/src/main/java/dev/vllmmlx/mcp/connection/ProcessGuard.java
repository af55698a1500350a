package dev.vllmmlx.mcp.connection;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a family of processes when we cannot any more, since we were killed: a shell that reads from
 * us, and to which the end of its input without a word before it means that we are gone. Where
 * there is no shell there is no guard.
 */
final class ProcessGuard {
  private static final Logger LOG = LoggerFactory.getLogger(ProcessGuard.class);

  // The first member's pid and the family's mark are its arguments. Servers that behave end by the
  // end of their own input, for which they have a moment. What interrupts us by the keyboard is
  // not meant for it.
  private static final String SCRIPT =
      """
      trap '' HUP INT TERM
      if read -r released; then exit 0; fi
      members() {
        if [ -r /proc/self/environ ]; then
          grep -ls "$2" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3
        else
          ps -A -o pid= -o ppid= | awk -v first="$1" '
            { parent[$1] = $2 }
            END { for (pid in parent) for (p = pid; p > 1; p = parent[p]) if (p == first) { print pid; break } }'
        fi
      }
      sleep 1
      for signal in TERM KILL; do
        left=$(members "$1" "$2")
        [ -n "$left" ] || exit 0
        kill -s $signal $left 2>/dev/null
        sleep 2
      done
      """;

  private final Process shell;

  private ProcessGuard(Process shell) {
    this.shell = shell;
  }

  /**
   * Sets one up.
   *
   * @param first the family's first member
   * @param mark in the environment of each
   * @return empty where that is not possible
   */
  static Optional<ProcessGuard> over(ProcessHandle first, String mark) {
    var builder =
        new ProcessBuilder("sh", "-c", SCRIPT, "mcp-guard", String.valueOf(first.pid()), mark)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().keySet().retainAll(Set.of("PATH"));
    try {
      return Optional.of(new ProcessGuard(builder.start()));
    } catch (IOException e) {
      LOG.debug("nobody ends process {} if we are killed", first.pid(), e);
      return Optional.empty();
    }
  }

  /** The family is gone: so is the guard, on return. */
  void release(Duration patience) throws InterruptedException {
    try (var words = shell.getOutputStream()) {
      words.write("released\n".getBytes(StandardCharsets.US_ASCII));
    } catch (IOException _) {
      // It has ended already.
    }
    if (!shell.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
      shell.destroyForcibly();
    }
  }
}
