package dev.vllmmlx.cache;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;

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
    CLOSE
  }

  /** What is done with which sequence; the numbers mean what the call makes of them. */
  record Call(Kind kind, int which, int much, int pattern) {}

  @Property(tries = 2_000)
  void everySequenceFindsItsOwnRows(
      @ForAll("calls") List<Call> calls,
      @ForAll @IntRange(min = 1, max = 14) int blocks,
      @ForAll @IntRange(min = 1, max = 4) int blockSize) {
    drive(new CacheModel(blocks, blockSize, true, new Sha256BlockHash()), calls);
  }

  @Property(tries = 500)
  void everySequenceFindsItsOwnRowsWithoutAnIndex(
      @ForAll("calls") List<Call> calls,
      @ForAll @IntRange(min = 1, max = 14) int blocks,
      @ForAll @IntRange(min = 1, max = 4) int blockSize) {
    drive(new CacheModel(blocks, blockSize, false, new Sha256BlockHash()), calls);
  }

  @Property(tries = 1_000)
  void aBadHashCostsHitsAndNothingElse(
      @ForAll("calls") List<Call> calls,
      @ForAll @IntRange(min = 1, max = 14) int blocks,
      @ForAll @IntRange(min = 1, max = 4) int blockSize,
      @ForAll @IntRange(min = 1, max = 5) int keys) {
    drive(new CacheModel(blocks, blockSize, true, new FewKeys(keys)), calls);
  }

  private static void drive(CacheModel model, List<Call> calls) {
    for (var call : calls) {
      perform(call, model);
    }
    model.checkCounters();
    model.end();
  }

  private static void perform(Call call, CacheModel model) {
    var open = model.open();
    if (call.kind == Kind.OPEN || open.isEmpty()) {
      model.open(LINEAGES.get(call.which % LINEAGES.size()), tokens(call.pattern, call.much));
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
  Arbitrary<List<Call>> calls() {
    var kinds =
        Arbitraries.frequency(
            Tuple.of(5, Kind.OPEN),
            Tuple.of(6, Kind.STEP),
            Tuple.of(2, Kind.RESERVE),
            Tuple.of(2, Kind.FORK),
            Tuple.of(2, Kind.TRUNCATE),
            Tuple.of(4, Kind.CLOSE));
    var numbers = Arbitraries.integers();
    return Combinators.combine(
            kinds, numbers.between(0, 11), numbers.between(0, 17), numbers.between(0, 7))
        .as(Call::new)
        .list()
        .ofMaxSize(60);
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
