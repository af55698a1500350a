package dev.vllmmlx.gateway.bench;

import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The figures of a model as a table for people and as JSON for programs. */
final class ModelReport {
  private static final double GIGA = 1e9;
  private static final double MEGA = 1e6;

  private ModelReport() {}

  static String table(ModelFigures figures) {
    var text = new StringBuilder();
    line(text, "model", figures.model() + " (engine " + figures.engine() + ")");
    for (var prefill : figures.prefills()) {
      line(text, "prefill of " + prefill.tokens(), "%.1f tokens/s".formatted(prefill.rate()));
    }
    line(text, "decode", "%.1f tokens/s".formatted(figures.decode()));
    figures
        .bandwidthShare()
        .ifPresent(
            share ->
                line(
                    text,
                    "of the memory's speed",
                    "%.0f%% (%.0f MB of weights a token, %.1f GB/s measured)"
                        .formatted(
                            100 * share,
                            figures.weightBytes().orElseThrow() / MEGA,
                            figures.memoryBandwidth() / GIGA)));
    figures
        .peakBytes()
        .ifPresent(peak -> line(text, "peak memory", "%.0f MB".formatted(peak / MEGA)));
    return text.toString();
  }

  private static void line(StringBuilder text, String name, String value) {
    text.append(String.format(Locale.ROOT, "%-24s %s%n", name, value));
  }

  static ObjectNode json(ModelFigures figures) {
    var root = JsonMapper.shared().createObjectNode();
    root.put("model", figures.model());
    root.put("engine", figures.engine());
    var prefills = root.putArray("prefill");
    for (var prefill : figures.prefills()) {
      prefills.addObject().put("tokens", prefill.tokens()).put("tokens_per_second", prefill.rate());
    }
    root.put("decode_tokens", figures.decodeTokens());
    root.put("decode_tokens_per_second", figures.decode());
    root.put("memory_bytes_per_second", figures.memoryBandwidth());
    figures.weightBytes().ifPresent(bytes -> root.put("weight_bytes", bytes));
    figures.bandwidthShare().ifPresent(share -> root.put("bandwidth_share", share));
    figures.peakBytes().ifPresent(bytes -> root.put("peak_bytes", bytes));
    return root;
  }
}
