package dev.vllmmlx.gateway.bench;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.DoubleStream;

/**
 * What one level of concurrency came to.
 *
 * @param seconds from the first request to the last answer
 * @param errors how many failed, by kind
 * @param promptTokens of all answered requests together
 * @param counted whether the server counted all tokens; else pieces of the stream were
 * @param slowest tokens a second of the slowest stream once it runs; 0 where no answer was long
 *     enough
 * @param mean like {@code slowest}, of all streams
 * @param firstTokens of each answered request, sorted, for plots
 */
record LevelFigures(
    int concurrency,
    int answered,
    Map<String, Integer> errors,
    double seconds,
    long promptTokens,
    long cachedTokens,
    long tokens,
    boolean counted,
    double slowest,
    double mean,
    Percentiles firstToken,
    Percentiles gap,
    Percentiles total,
    List<Double> firstTokens) {

  static LevelFigures of(int concurrency, double seconds, List<RequestOutcome> outcomes) {
    var errors = new TreeMap<String, Integer>();
    for (var outcome : outcomes) {
      if (outcome instanceof RequestOutcome.Failed(var kind)) {
        errors.merge(kind, 1, Integer::sum);
      }
    }
    var answered =
        outcomes.stream()
            .filter(RequestOutcome.Answered.class::isInstance)
            .map(RequestOutcome.Answered.class::cast)
            .toList();
    var rates = answered.stream().flatMapToDouble(LevelFigures::rate).summaryStatistics();
    return new LevelFigures(
        concurrency,
        answered.size(),
        errors,
        seconds,
        answered.stream().mapToLong(RequestOutcome.Answered::promptTokens).sum(),
        answered.stream().mapToLong(RequestOutcome.Answered::cachedTokens).sum(),
        answered.stream().mapToLong(RequestOutcome.Answered::tokens).sum(),
        answered.stream().allMatch(RequestOutcome.Answered::counted),
        rates.getCount() == 0 ? 0 : rates.getMin(),
        rates.getAverage(),
        Percentiles.of(answered.stream().map(RequestOutcome.Answered::firstToken).toList()),
        Percentiles.of(answered.stream().flatMap(one -> one.gaps().stream()).toList()),
        Percentiles.of(answered.stream().map(RequestOutcome.Answered::total).toList()),
        answered.stream().map(RequestOutcome.Answered::firstToken).sorted().toList());
  }

  /** Tokens a second of a stream once it runs. */
  private static DoubleStream rate(RequestOutcome.Answered one) {
    var running = one.total() - one.firstToken();
    return one.tokens() > 1 && running > 0
        ? DoubleStream.of((one.tokens() - 1) / running)
        : DoubleStream.empty();
  }

  /** Generated tokens a second, all streams together. */
  double throughput() {
    return seconds > 0 ? tokens / seconds : 0;
  }

  int failed() {
    return errors.values().stream().mapToInt(Integer::intValue).sum();
  }
}
