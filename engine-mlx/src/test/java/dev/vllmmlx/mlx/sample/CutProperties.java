package dev.vllmmlx.mlx.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** A cut is held against a full sort, on values with many ties. */
class CutProperties {

  @Property
  void keepsTheHighestAndOfEqualsTheLowestIds(
      @ForAll("scores") float[] values, @ForAll @IntRange(min = 1, max = 60) int count) {
    var expected = ordered(values).stream().limit(count).sorted().toList();
    assertThat(ids(Cut.highest(values, count), values)).isEqualTo(expected);
  }

  @Property
  void keepsTheFewestThatReachTheSum(
      @ForAll("weights") float[] values, @ForAll @IntRange(min = 1, max = 64) int share) {
    // Weights are small multiples of a power of two, so that every sum here is exact.
    var total = IntStream.range(0, values.length).mapToDouble(id -> values[id]).sum();
    var target = total * share / 64;
    var ordered = ordered(values);
    var needed = 1;
    for (var sum = (double) values[ordered.getFirst()]; sum < target; needed++) {
      sum += values[ordered.get(needed)];
    }
    var expected = ordered.stream().limit(needed).sorted().toList();
    assertThat(ids(Cut.reaching(values, target), values)).isEqualTo(expected);
  }

  @Example
  void keepsOneWhereAllWeightsAreZero() {
    var values = new float[5];
    assertThat(ids(Cut.reaching(values, 0), values)).containsExactly(0);
  }

  @Property
  void excludesWhatIsNotInside(
      @ForAll("weights") float[] values, @ForAll @IntRange(min = 1, max = 60) int count) {
    var cut = Cut.highest(values, count);
    var inside = ids(cut, values);
    var after = values.clone();
    cut.excludeRest(after);
    for (var id = 0; id < values.length; id++) {
      assertThat(after[id]).isEqualTo(inside.contains(id) ? values[id] : 0);
    }
  }

  @Provide
  Arbitrary<float[]> scores() {
    var ties = Arbitraries.of(-1.5f, -0f, 0f, 2f, 2.0000002f, Float.NEGATIVE_INFINITY);
    var any = Arbitraries.floats().between(-1e30f, 1e30f);
    return Arbitraries.oneOf(ties, any).array(float[].class).ofMinSize(1).ofMaxSize(50);
  }

  @Provide
  Arbitrary<float[]> weights() {
    return Arbitraries.integers()
        .between(0, 40)
        .map(n -> n / 32f)
        .array(float[].class)
        .ofMinSize(1)
        .ofMaxSize(50);
  }

  private static List<Integer> ids(Cut cut, float[] values) {
    return Arrays.stream(cut.ids(values)).boxed().toList();
  }

  private static List<Integer> ordered(float[] values) {
    return IntStream.range(0, values.length)
        .boxed()
        .sorted(
            Comparator.comparing((Integer id) -> -(values[id] + 0f), CutProperties::compare)
                .thenComparing(id -> id))
        .toList();
  }

  /** Unlike {@link Float#compare}, both zeros are one. */
  private static int compare(float a, float b) {
    return a < b ? -1 : a > b ? 1 : 0;
  }
}
