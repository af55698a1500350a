package dev.vllmmlx.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.RandomDistribution;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.statistics.Statistics;
import net.jqwik.api.statistics.StatisticsReport;

/** Whatever sequences do among each other, {@link CacheModel} finds each one's rows in place. */
class PagedCacheProperties {
  private static final List<Lineage> LINEAGES =
      List.of(
          new Lineage("m", "", ""),
          new Lineage("m", "a", ""),
          new Lineage("m", "", "a"),
          new Lineage("ma", "", ""));

  enum Kind {
    OPEN,
    STEP,
    RESERVE,
    FORK,
    TRUNCATE,
    CLOSE,
    LEAVE
  }

  /** What is done with which sequence; the numbers mean what the call makes of them. */
  record Call(Kind kind, int which, int much, int pattern) {}

  /** A size of pool and blocks, and what is done with it. */
  record Run(int blocks, int blockSize, List<Call> calls) {}

  @Property(tries = 600, edgeCases = EdgeCasesMode.NONE)
  @StatisticsReport(onFailureOnly = true)
  void everySequenceFindsItsOwnRows(@ForAll("runs") Run run) {
    drive(run, true, new Sha256BlockHash(), false);
    often("evicted", "copied", "left", "CACHED", "EVICTED");
  }

  @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
  @StatisticsReport(onFailureOnly = true)
  void everySequenceFindsItsOwnRowsWithoutAnIndex(@ForAll("runs") Run run) {
    drive(run, false, new Sha256BlockHash(), false);
    often("copied", "OFF");
  }

  @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
  @StatisticsReport(onFailureOnly = true)
  void aBadHashCostsHitsAndNothingElse(
      @ForAll("runs") Run run, @ForAll @IntRange(min = 1, max = 5) int keys) {
    drive(run, true, new FewKeys(keys), false);
    often("evicted", "copied", "left", "CACHED", "COLLISION");
  }

  @Property(tries = 400, edgeCases = EdgeCasesMode.NONE)
  @StatisticsReport(onFailureOnly = true)
  void blocksThatComeBackAreTheOnesThatWent(@ForAll("runs") Run run) {
    drive(run, true, new Sha256BlockHash(), true);
    often("evicted", "copied", "left", "CACHED", "LOADED");
  }

  /** The mistake of hashing every block alone: B+A+T must not get what A+B+T left. */
  @Property(tries = 300)
  void chunksInAnotherOrderShareOnlyWhatTheyBeginWith(
      @ForAll("orders") List<Integer> stored,
      @ForAll("orders") List<Integer> asked,
      @ForAll @IntRange(min = 1, max = 3) int blocksPerChunk) {
    var model = new CacheModel(32, 4, true, new Sha256BlockHash(), false);
    model.close(model.open(LINEAGES.getFirst(), chunks(stored, 4 * blocksPerChunk)));
    var same = 0;
    while (same < stored.size() && stored.get(same).equals(asked.get(same))) {
      same++;
    }

    var sequence = model.open(LINEAGES.getFirst(), chunks(asked, 4 * blocksPerChunk));

    assertThat(sequence.adopted()).isEqualTo(4 * blocksPerChunk * same);
    model.end();
  }

  @Provide
  Arbitrary<List<Integer>> orders() {
    return Arbitraries.shuffle(0, 1, 2, 3);
  }

  /** The chunks one after another, and one token more. */
  private static int[] chunks(List<Integer> order, int size) {
    var chunks =
        order.stream().flatMapToInt(chunk -> IntStream.range(chunk * size, (chunk + 1) * size));
    return IntStream.concat(chunks, IntStream.of(-1)).toArray();
  }

  private static void drive(Run run, boolean reuse, BlockHash hash, boolean hasSecond) {
    var model = new CacheModel(run.blocks, run.blockSize, reuse, hash, hasSecond);
    run.calls.forEach(call -> perform(call, model));
    model.checkCounters();
    var status = model.status();
    Statistics.label("evicted").collect(status.evictions() > 0);
    Statistics.label("copied").collect(status.copies() > 0);
    Statistics.label("left").collect(model.left() > 0);
    status
        .promptTokens()
        .forEach((outcome, tokens) -> Statistics.label(outcome.name()).collect(tokens > 0));
    model.end();
  }

  /** A property that never sees what it is about says nothing. */
  private static void often(String... labels) {
    for (var label : labels) {
      Statistics.label(label)
          .coverage(coverage -> coverage.check(true).percentage(share -> share > 10));
    }
  }

  private static void perform(Call call, CacheModel model) {
    var open = model.open();
    if (call.kind == Kind.OPEN || open.isEmpty()) {
      model.open(LINEAGES.get(Math.max(0, call.which - 8)), tokens(call.pattern, call.much));
      return;
    }
    var sequence = open.get(call.which % open.size());
    switch (call.kind) {
      case OPEN -> throw new AssertionError("seen to above");
      case STEP -> step(call, model);
      case RESERVE -> {
        model.reserve(sequence, call.much);
        model.carryOutCopies();
      }
      case FORK -> model.fork(sequence);
      case TRUNCATE -> model.truncate(sequence, call.much % (sequence.length() + 1));
      case CLOSE -> model.close(sequence);
      case LEAVE -> model.leave(sequence);
    }
  }

  /**
   * Several sequences reserve, then all copies are made, then all write, then those that succeed
   * append. One of them may be cancelled in between.
   */
  private static void step(Call call, CacheModel model) {
    var rows = new ArrayList<CacheModel.Sequence>();
    for (var sequence : List.copyOf(model.open())) {
      if (model.reserve(sequence, call.much % 5)) {
        rows.add(sequence);
      }
    }
    if (call.pattern % 4 == 1 && !rows.isEmpty()) {
      model.close(rows.remove(call.which % rows.size()));
    }
    model.carryOutCopies();
    for (var row : rows) {
      model.write(row, tokens(call.pattern + rows.indexOf(row) % 2, call.much % 5));
    }
    for (var row : rows) {
      if (call.pattern % 4 != 2) {
        model.append(row, tokens(call.pattern + rows.indexOf(row) % 2, call.much % 5));
      }
    }
  }

  /** Of few patterns, so that sequences have much in common. */
  private static int[] tokens(int pattern, int count) {
    var tokens = new int[count];
    for (var i = 0; i < count; i++) {
      tokens[i] = pattern >> (i % 3) & 1;
    }
    return tokens;
  }

  @Provide
  Arbitrary<Run> runs() {
    var calls =
        Combinators.combine(
                Arbitraries.frequency(
                    Tuple.of(5, Kind.OPEN),
                    Tuple.of(6, Kind.STEP),
                    Tuple.of(2, Kind.RESERVE),
                    Tuple.of(2, Kind.FORK),
                    Tuple.of(2, Kind.TRUNCATE),
                    Tuple.of(2, Kind.CLOSE),
                    Tuple.of(3, Kind.LEAVE)),
                evenly(0, 11),
                evenly(0, 17),
                evenly(0, 7))
            .as(Call::new)
            .list()
            .ofMaxSize(100)
            .withSizeDistribution(RandomDistribution.uniform());
    return Combinators.combine(evenly(1, 16), evenly(1, 4), calls).as(Run::new);
  }

  private static Arbitrary<Integer> evenly(int least, int most) {
    return Arbitraries.integers()
        .between(least, most)
        .withDistribution(RandomDistribution.uniform());
  }

  /** So few keys that almost any two blocks have the same. */
  private record FewKeys(int keys) implements BlockHash {
    @Override
    public BlockKey root(Lineage lineage) {
      return new BlockKey(0, 0);
    }

    @Override
    public BlockKey next(BlockKey parent, int[] tokens, int from, int count) {
      var sum = parent.low();
      for (var i = from; i < from + count; i++) {
        sum += tokens[i] + 1;
      }
      return new BlockKey(0, sum % keys);
    }
  }
}
