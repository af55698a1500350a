package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.text.grammar.ConstraintException;
import dev.vllmmlx.text.grammar.GrammarCheck;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What {@code vllm-mlx grammar} prints about one schema.
 *
 * @param schema the name of its file
 */
record GrammarPage(String schema) {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  String text(ConstraintException failure) {
    return "%s: does not compile: %s".formatted(schema, failure.getMessage());
  }

  String json(ConstraintException failure) {
    var page = JSON.createObjectNode().put("schema", schema).put("compiles", false);
    var error = page.putObject("error");
    error.put("kind", kind(failure)).put("message", failure.getMessage());
    if (failure instanceof ConstraintException.Unsupported unsupported) {
      error.put("keyword", unsupported.keyword()).put("path", unsupported.path());
    }
    return page.toString();
  }

  private static String kind(ConstraintException failure) {
    return switch (failure) {
      case ConstraintException.Unsupported _ -> "unsupported";
      case ConstraintException.Invalid _ -> "invalid";
      case ConstraintException.Unsatisfiable _ -> "unsatisfiable";
      case ConstraintException.TooLarge _ -> "too_large";
      case ConstraintException.TooSlow _ -> "too_slow";
      case ConstraintException.Busy _ -> "busy";
      case ConstraintException.Stuck _ -> "stuck";
    };
  }

  String text(GrammarCheck.Report report) {
    var page =
        new StringBuilder("%s: compiles in %.1f ms".formatted(schema, report.compileMillis()));
    for (var ignored : report.ignored()) {
      page.append("\nnot kept: '%s' at %s".formatted(ignored.keyword(), ignored.path()))
          .append(" (%s)".formatted(ignored.why()));
    }
    var line = 0;
    for (var verdict : report.texts()) {
      page.append("\n%d: %s".formatted(++line, verdict.admitted() ? "accept" : "reject"));
      verdict
          .refusal()
          .ifPresent(
              refusal ->
                  page.append(
                      " at character %d%s: %s"
                          .formatted(
                              refusal.character(),
                              refusal.token().isEmpty()
                                  ? ""
                                  : ", token " + JSON.writeValueAsString(refusal.token()),
                              refusal.why())));
    }
    if (!report.maskMicros().isEmpty()) {
      page.append(
          "\n%d masks: p50 %.1f us, p99 %.1f us, at most %.1f us"
              .formatted(
                  report.maskMicros().size(),
                  percentile(report.maskMicros(), 0.5),
                  percentile(report.maskMicros(), 0.99),
                  percentile(report.maskMicros(), 1)));
    }
    return page.toString();
  }

  String json(GrammarCheck.Report report) {
    var page =
        JSON.createObjectNode()
            .put("schema", schema)
            .put("compiles", true)
            .put("compile_ms", rounded(report.compileMillis()));
    var ignored = page.putArray("not_kept");
    for (var each : report.ignored()) {
      ignored
          .addObject()
          .put("keyword", each.keyword())
          .put("path", each.path())
          .put("why", each.why());
    }
    var lines = page.putArray("lines");
    var number = 0;
    for (var verdict : report.texts()) {
      var line = lines.addObject().put("line", ++number).put("accept", verdict.admitted());
      line.put("tokens", verdict.tokens());
      verdict
          .refusal()
          .ifPresent(
              refusal ->
                  line.put("character", refusal.character())
                      .put("token", refusal.token())
                      .put("why", refusal.why()));
    }
    addMasks(page, report.maskMicros());
    return page.toString();
  }

  private static void addMasks(ObjectNode page, List<Double> micros) {
    if (!micros.isEmpty()) {
      page.putObject("mask_us")
          .put("count", micros.size())
          .put("p50", rounded(percentile(micros, 0.5)))
          .put("p99", rounded(percentile(micros, 0.99)))
          .put("max", rounded(percentile(micros, 1)));
    }
  }

  private static double percentile(List<Double> values, double share) {
    var sorted = values.stream().sorted().toList();
    return sorted.get(Math.max(0, (int) Math.ceil(share * sorted.size()) - 1));
  }

  private static double rounded(double value) {
    return Double.parseDouble(String.format(Locale.ROOT, "%.3f", value));
  }
}
