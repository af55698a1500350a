package dev.vllmmlx.gateway.metrics;

import dev.vllmmlx.mcp.McpBridge;
import dev.vllmmlx.spi.Engine;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Optional;

/** All that one gateway counts. Every meter has the labels {@code model} and {@code engine}. */
public final class Metrics {
  /** Of what {@link #scrape} writes. */
  public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final CallMetrics calls;
  private final EngineMetrics engine;
  private final Optional<ToolMetrics> tools;

  /**
   * @param engineName by which users chose the engine
   * @param bridge whose tools are counted, if there is one
   */
  public Metrics(String engineName, Engine engine, Optional<McpBridge> bridge) {
    registry.config().commonTags("model", engine.model().id(), "engine", engineName);
    this.calls = new CallMetrics(registry);
    this.engine = new EngineMetrics(engine, registry);
    this.tools = bridge.map(it -> new ToolMetrics(it, registry));
  }

  /**
   * Loads the classes that metrics are made of, a tenth of a second's work, so that it is done
   * while an engine opens and not after.
   */
  public static void load() {
    var trial = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    new CallMetrics(trial);
    trial.close();
  }

  /** Where the pipeline tells how its calls fare. */
  public CallMetrics calls() {
    return calls;
  }

  /** Everything, in the text format of Prometheus. Does not block. */
  public String scrape() {
    engine.look();
    tools.ifPresent(ToolMetrics::look);
    return registry.scrape(CONTENT_TYPE);
  }

  /** Frees what it holds. */
  public void close() {
    registry.close();
  }
}
