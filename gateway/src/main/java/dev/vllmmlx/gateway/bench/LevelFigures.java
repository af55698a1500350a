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
 * @param streams tokens a second of each stream from its first token on: how quickly text flows
 *     once it does; of answers of more than one token
 * @param answers tokens a second of each answer from its request on, so with what it waited for the
 *     first: the one that stands apart where somebody starves, which a stream that has begun does
 *     not show
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
    Spread streams,
    Spread answers,
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
    return new LevelFigures(
        concurrency,
        answered.size(),
        errors,
        seconds,
        answered.stream().mapToLong(RequestOutcome.Answered::promptTokens).sum(),
        answered.stream().mapToLong(RequestOutcome.Answered::cachedTokens).sum(),
        answered.stream().mapToLong(RequestOutcome.Answered::tokens).sum(),
        answered.stream().allMatch(RequestOutcome.Answered::counted),
        Spread.of(answered.stream().flatMapToDouble(LevelFigures::streamed)),
        Spread.of(answered.stream().flatMapToDouble(LevelFigures::answered)),
        Percentiles.of(answered.stream().map(RequestOutcome.Answered::firstToken).toList()),
        Percentiles.of(answered.stream().flatMap(one -> one.gaps().stream()).toList()),
        Percentiles.of(answered.stream().map(RequestOutcome.Answered::total).toList()),
        answered.stream().map(RequestOutcome.Answered::firstToken).sorted().toList());
  }

  /** Of some rates; both 0 where there are none. */
  record Spread(double slowest, double mean) {
    static Spread of(DoubleStream rates) {
      var all = rates.summaryStatistics();
      return new Spread(all.getCount() == 0 ? 0 : all.getMin(), all.getAverage());
    }
  }

  private static DoubleStream streamed(RequestOutcome.Answered one) {
    return rate(one.tokens() - 1, one.total() - one.firstToken());
  }

  private static DoubleStream answered(RequestOutcome.Answered one) {
    return rate(one.tokens(), one.total());
  }

  private static DoubleStream rate(int tokens, double seconds) {
    return tokens > 0 && seconds > 0 ? DoubleStream.of(tokens / seconds) : DoubleStream.empty();
  }

  /** Generated tokens a second, all streams together. */
  double throughput() {
    return seconds > 0 ? tokens / seconds : 0;
  }

  int failed() {
    return errors.values().stream().mapToInt(Integer::intValue).sum();
  }
}
