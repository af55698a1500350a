package dev.vllmmlx.gateway.bench;

import java.util.Locale;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The figures of a load as a table for people and as JSON for programs. */
final class LoadReport {

  private LoadReport() {}

  static String table(LoadFigures figures) {
    var text = new StringBuilder();
    var plan = figures.plan();
    text.append(
        "%s at %s: prompts of about %d tokens (%.0f%% shared), answers of %d%n"
            .formatted(
                figures.model(),
                plan.url(),
                plan.promptTokens(),
                100 * plan.sharedPrefix(),
                plan.maxTokens()));
    text.append(
        "%7s %9s %7s %9s %10s  %-23s  %-23s  %-23s%n"
            .formatted(
                "streams",
                "answered",
                "errors",
                "tokens/s",
                "slowest/s",
                "TTFT ms p50/p95/p99",
                "gap ms p50/p95/p99",
                "total s p50/p95/p99"));
    for (var level : figures.levels()) {
      text.append(
          "%7d %9d %7d %9.1f %10.1f  %-23s  %-23s  %-23s%n"
              .formatted(
                  level.concurrency(),
                  level.answered(),
                  level.failed(),
                  level.throughput(),
                  level.streams().slowest(),
                  line(level.firstToken(), 1000, "%.0f"),
                  line(level.gap(), 1000, "%.1f"),
                  line(level.total(), 1, "%.2f")));
      level
          .errors()
          .forEach((kind, count) -> text.append("        %d x %s%n".formatted(count, kind)));
    }
    if (figures.levels().stream().anyMatch(level -> !level.counted())) {
      text.append("The server did not count tokens: pieces of the stream were counted instead.\n");
    }
    if (figures.answersMayBeShorter()) {
      text.append("The server refused ignore_eos: answers may be shorter than asked.\n");
    }
    return text.toString();
  }

  private static String line(Percentiles p, double scale, String format) {
    return java.util.stream.Stream.of(p.p50(), p.p95(), p.p99())
        .map(value -> String.format(Locale.ROOT, format, scale * value))
        .collect(Collectors.joining(" / "));
  }

  static ObjectNode json(LoadFigures figures) {
    var plan = figures.plan();
    var root = JsonMapper.shared().createObjectNode();
    root.put("url", plan.url().toString());
    root.put("model", figures.model());
    root.put("endpoint", plan.chat() ? "chat" : "completions");
    root.put("prompt_tokens", plan.promptTokens());
    root.put("max_tokens", plan.maxTokens());
    root.put("shared_prefix", plan.sharedPrefix());
    plan.rate().ifPresent(rate -> root.put("rate", rate));
    root.put("seed", plan.seed());
    root.put("answers_may_be_shorter", figures.answersMayBeShorter());
    var levels = root.putArray("levels");
    for (var level : figures.levels()) {
      var one = levels.addObject();
      one.put("concurrency", level.concurrency());
      one.put("answered", level.answered());
      one.put("failed", level.failed());
      level.errors().forEach(one.putObject("errors")::put);
      one.put("seconds", level.seconds());
      one.put("prompt_tokens", level.promptTokens());
      one.put("cached_tokens", level.cachedTokens());
      one.put("tokens", level.tokens());
      one.put("counted_by_server", level.counted());
      one.put("tokens_per_second", level.throughput());
      one.put("slowest_stream_tokens_per_second", level.streams().slowest());
      one.put("mean_stream_tokens_per_second", level.streams().mean());
      one.put("slowest_answer_tokens_per_second", level.answers().slowest());
      one.put("mean_answer_tokens_per_second", level.answers().mean());
      percentiles(one.putObject("ttft_seconds"), level.firstToken());
      percentiles(one.putObject("inter_token_seconds"), level.gap());
      percentiles(one.putObject("total_seconds"), level.total());
    }
    return root;
  }

  private static void percentiles(ObjectNode to, Percentiles p) {
    to.put("p50", p.p50());
    to.put("p95", p.p95());
    to.put("p99", p.p99());
    to.put("max", p.max());
  }
}
