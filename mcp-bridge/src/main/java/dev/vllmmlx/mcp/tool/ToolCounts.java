package dev.vllmmlx.mcp.tool;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** How often each tool was called, and how that went. For any thread. */
public final class ToolCounts implements CallListener {
  // A server can name new tools for ever.
  private static final int MOST = 10_000;

  private final ConcurrentHashMap<String, Adders> byTool = new ConcurrentHashMap<>();

  /**
   * The figures of one tool.
   *
   * @param tool its name for models
   * @param server its server's key in the configuration
   * @param calls all, the refused ones too
   * @param errors those that did not end with a good result
   * @param seconds that all calls took together
   */
  public record Count(String tool, String server, long calls, long errors, double seconds) {}

  private record Adders(String server, LongAdder calls, LongAdder errors, LongAdder nanos) {}

  @Override
  public void called(
      String request, McpTool tool, String arguments, ToolOutcome outcome, Duration took) {
    if (byTool.size() >= MOST && !byTool.containsKey(tool.name())) {
      return;
    }
    var adders =
        byTool.computeIfAbsent(
            tool.name(),
            _ -> new Adders(tool.server(), new LongAdder(), new LongAdder(), new LongAdder()));
    adders.calls().increment();
    if (outcome.isError()) {
      adders.errors().increment();
    }
    adders.nanos().add(took.toNanos());
  }

  /** The figures so far, of each tool that was called, by name. */
  public List<Count> snapshot() {
    return byTool.entrySet().stream()
        .map(
            entry -> {
              var adders = entry.getValue();
              return new Count(
                  entry.getKey(),
                  adders.server(),
                  adders.calls().sum(),
                  adders.errors().sum(),
                  adders.nanos().sum() / 1e9);
            })
        .sorted(java.util.Comparator.comparing(Count::tool))
        .toList();
  }
}
