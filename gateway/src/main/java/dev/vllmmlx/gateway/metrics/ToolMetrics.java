package dev.vllmmlx.gateway.metrics;

import dev.vllmmlx.mcp.McpBridge;
import dev.vllmmlx.mcp.tool.ToolCounts;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** The calls of MCP tools as meters. Each look registers the tools that are new. */
final class ToolMetrics {
  private final McpBridge bridge;
  private final MeterRegistry registry;
  private final Map<String, ToolCounts.Count> seen = new HashMap<>();

  ToolMetrics(McpBridge bridge, MeterRegistry registry) {
    this.bridge = bridge;
    this.registry = registry;
  }

  /** Looks at the bridge. */
  synchronized void look() {
    for (var count : bridge.counts()) {
      if (seen.put(count.tool(), count) == null) {
        counter("mcp_tool_calls", "Calls of a tool", count, ToolCounts.Count::calls);
        counter("mcp_tool_errors", "Calls without a good result", count, ToolCounts.Count::errors);
        counter("mcp_tool_seconds", "What calls took together", count, ToolCounts.Count::seconds);
      }
    }
  }

  private void counter(
      String name,
      String description,
      ToolCounts.Count of,
      ToDoubleFunction<ToolCounts.Count> value) {
    FunctionCounter.builder(
            EngineMetrics.PREFIX + name, this, it -> value.applyAsDouble(it.last(of.tool())))
        .description(description)
        .tag("tool", of.tool())
        .tag("server", of.server())
        .register(registry);
  }

  private synchronized ToolCounts.Count last(String tool) {
    return seen.get(tool);
  }
}
