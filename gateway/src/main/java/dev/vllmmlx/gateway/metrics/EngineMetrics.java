package dev.vllmmlx.gateway.metrics;

import dev.vllmmlx.spi.Engine;
import dev.vllmmlx.spi.EngineStatus;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.HashSet;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An engine's status as meters. Its gauges are known only by looking: each look registers those
 * that are new, and the meters say what was seen last.
 */
final class EngineMetrics {
  static final String PREFIX = "vllmmlx_";

  private static final Logger LOG = LoggerFactory.getLogger(EngineMetrics.class);
  private static final String TOTAL = "_total";
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]*(_[a-z0-9]+)*");

  private final Engine engine;
  private final MeterRegistry registry;
  private final Set<String> known = new HashSet<>();
  private volatile EngineStatus seen;

  EngineMetrics(Engine engine, MeterRegistry registry) {
    this.engine = engine;
    this.registry = registry;
    this.seen = engine.status();
    gauge("requests_running", "Choices that are being generated", EngineStatus::running);
    gauge("requests_waiting", "Choices that wait for their turn", EngineStatus::waiting);
    gauge(
        "ready",
        "1 while the engine takes requests",
        status -> status.state() == EngineStatus.State.READY ? 1 : 0);
    gauge(
        "seen_alive_seconds_ago",
        "Since the thread that generates last said that it is alive",
        status -> status.sinceAlive().toNanos() / 1e9);
  }

  /** Looks at the engine. */
  synchronized void look() {
    seen = engine.status();
    for (var name : seen.gauges().keySet()) {
      if (known.add(name)) {
        register(name);
      }
    }
  }

  private void register(String name) {
    if (!NAME.matcher(name).matches()) {
      LOG.warn("the engine's gauge \"{}\" is not snake_case and not in /metrics", name);
    } else if (name.endsWith(TOTAL)) {
      FunctionCounter.builder(
              PREFIX + "engine_" + name.substring(0, name.length() - TOTAL.length()),
              this,
              it -> it.value(name))
          .register(registry);
    } else {
      Gauge.builder(PREFIX + "engine_" + name, this, it -> it.value(name)).register(registry);
    }
  }

  private double value(String name) {
    return seen.gauges().getOrDefault(name, Double.NaN);
  }

  private void gauge(String name, String description, ToDoubleFunction<EngineStatus> value) {
    Gauge.builder(PREFIX + name, this, it -> value.applyAsDouble(it.seen))
        .description(description)
        .register(registry);
  }
}
