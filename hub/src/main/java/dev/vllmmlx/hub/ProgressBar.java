package dev.vllmmlx.hub;

import java.io.PrintStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Progress for people: on a terminal one line that is written anew, with rate and time left;
 * elsewhere, as in a service's log, a line every tenth of the way. All files of a download share
 * the one bar.
 */
public final class ProgressBar implements Progress {
  private static final long REDRAW_NANOS = 100_000_000;
  private static final long RATE_WINDOW_NANOS = 5_000_000_000L;
  private static final int BAR_CELLS = 24;
  private static final String CLEAR_TO_END = "\033[K";

  private record Sample(long nanos, long bytes) {}

  private final PrintStream out;
  private final boolean terminal;
  private final LongSupplier nanoClock;

  private final Map<String, Long> present = new HashMap<>();
  private final Deque<Sample> samples = new ArrayDeque<>();
  private String what = "";
  private long total;
  private long done;
  private long lastDraw;
  private int lastTenth;
  private boolean active;
  private boolean drawn;

  /** A bar on standard error; lines instead of a bar if this is not an interactive terminal. */
  public static ProgressBar onStandardError() {
    var console = System.console();
    var terminal = console != null && console.isTerminal() && !"dumb".equals(System.getenv("TERM"));
    return new ProgressBar(System.err, terminal, System::nanoTime);
  }

  /**
   * A bar on any stream.
   *
   * @param nanoClock as {@link System#nanoTime()}
   */
  public ProgressBar(PrintStream out, boolean terminal, LongSupplier nanoClock) {
    this.out = out;
    this.terminal = terminal;
    this.nanoClock = nanoClock;
  }

  @Override
  public synchronized void note(String message) {
    out.print((drawn ? "\r" + CLEAR_TO_END : "") + message + System.lineSeparator());
    drawn = false;
  }

  @Override
  public synchronized void planned(String what, int files, long totalBytes) {
    this.what = what;
    this.total = totalBytes;
    this.done = 0;
    this.lastTenth = 0;
    this.active = true;
    present.clear();
    samples.clear();
    note(
        "Downloading %s: %s in %d %s"
            .formatted(what, ByteCount.text(totalBytes), files, files == 1 ? "file" : "files"));
  }

  @Override
  public synchronized void fileStarted(String file, long totalBytes, long presentBytes) {
    // A file that starts a second time, after a wrong checksum, must not be counted twice.
    done += presentBytes - present.getOrDefault(file, 0L);
    present.put(file, presentBytes);
    samples.clear();
    samples.add(new Sample(nanoClock.getAsLong(), done));
    draw(false);
  }

  @Override
  public synchronized void advanced(String file, long bytes) {
    done += bytes;
    present.merge(file, bytes, Long::sum);
    draw(false);
  }

  @Override
  public synchronized void fileDone(String file) {
    draw(false);
  }

  @Override
  public synchronized void ended() {
    if (active && terminal) {
      draw(true);
      out.print(System.lineSeparator());
      out.flush();
    }
    active = false;
    drawn = false;
  }

  private void draw(boolean last) {
    if (!active) {
      return;
    }
    var now = nanoClock.getAsLong();
    if (terminal) {
      if (last || !drawn || now - lastDraw >= REDRAW_NANOS) {
        lastDraw = now;
        drawn = true;
        out.print("\r" + bar() + numbers(now) + CLEAR_TO_END);
        out.flush();
      }
    } else {
      var tenth = total == 0 ? 10 : (int) (done * 10 / total);
      if (tenth > lastTenth) {
        lastTenth = tenth;
        out.print("%s:%s%n".formatted(what, numbers(now)));
        out.flush();
      }
    }
  }

  private String bar() {
    var filled = total == 0 ? BAR_CELLS : (int) Math.clamp(done * BAR_CELLS / total, 0, BAR_CELLS);
    return "[" + "#".repeat(filled) + "-".repeat(BAR_CELLS - filled) + "]";
  }

  private String numbers(long now) {
    var percent = total == 0 ? 100 : done * 100 / total;
    var text = " %3d%%  %s of %s".formatted(percent, ByteCount.text(done), ByteCount.text(total));
    var rate = bytesPerSecond(now);
    if (rate <= 0) {
      return text;
    }
    var left = (long) Math.ceil((total - done) / rate);
    return text
        + "  %s/s".formatted(ByteCount.text((long) rate))
        + (left > 0 ? "  " + clock(left) + " left" : "");
  }

  /** Over the last seconds, so that a change of speed shows. */
  private double bytesPerSecond(long now) {
    samples.addLast(new Sample(now, done));
    while (samples.size() > 2 && now - samples.getFirst().nanos() > RATE_WINDOW_NANOS) {
      samples.removeFirst();
    }
    var first = samples.getFirst();
    var seconds = (now - first.nanos()) / 1e9;
    return seconds < 0.2 ? 0 : (done - first.bytes()) / seconds;
  }

  private static String clock(long seconds) {
    return seconds < 3600
        ? String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60)
        : String.format(
            Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }
}
