package dev.vllmmlx.mlx.sample;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vllmmlx.spi.Sampling;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Random rows and settings against the plainest sampler: double precision and a full sort. */
class SamplerReferenceTest {

  @Test
  void drawsWhatAFullSortInDoublePrecisionDraws() {
    var random = new Random(17);
    var atBoundary = 0;
    for (var round = 0; round < 3_000; round++) {
      var logits = Samplers.random(random, 1 + random.nextInt(300));
      if (random.nextBoolean()) {
        // Ties.
        for (var id = 0; id < logits.length; id++) {
          logits[id] = Math.round(logits[id]);
        }
      }
      var sampling = randomSampling(random, round);
      var expected = reference(logits, sampling, Draws.of(OptionalLong.of(round), 0).uniform(0));
      var actual = Samplers.of(sampling).next(logits.clone()).id();
      if (expected.contains(actual) && expected.size() > 1) {
        atBoundary++;
      }
      assertThat(expected).as("round %d, %s", round, sampling).contains(actual);
    }
    assertThat(atBoundary).isLessThan(30);
  }

  private static Sampling randomSampling(Random random, int seed) {
    return new Sampling(
        0.2f + random.nextFloat() * 2,
        random.nextBoolean() ? 1 : random.nextFloat(),
        random.nextBoolean() ? 0 : 1 + random.nextInt(40),
        random.nextBoolean() ? 0 : random.nextFloat() * 0.5f,
        1,
        0,
        0,
        Map.of(),
        OptionalLong.of(seed));
  }

  /**
   * The tokens that may be drawn: one, but where a sum comes within 1e-6 of deciding otherwise all.
   */
  private static HashSet<Integer> reference(float[] logits, Sampling sampling, double uniform) {
    var order = new ArrayList<>(IntStream.range(0, logits.length).boxed().toList());
    order.sort(Comparator.comparing((Integer id) -> -logits[id]).thenComparing(id -> id));
    var weights = new double[logits.length];
    for (var id = 0; id < logits.length; id++) {
      weights[id] =
          Math.exp(((double) logits[id] - logits[order.getFirst()]) / sampling.temperature());
    }
    List<Integer> kept = order;
    if (sampling.topK() > 0) {
      kept = kept.subList(0, Math.min(sampling.topK(), kept.size()));
    }
    var keptBefore = kept;
    var choices = new HashSet<Integer>();
    for (var slack : new double[] {-1e-6, 0, 1e-6}) {
      kept = keptBefore;
      if (sampling.topP() < 1) {
        var total = kept.stream().mapToDouble(id -> weights[id]).sum();
        var sum = 0.0;
        var count = 0;
        while (count < kept.size() && (count == 0 || sum < (sampling.topP() + slack) * total)) {
          sum += weights[kept.get(count++)];
        }
        kept = kept.subList(0, count);
      }
      kept = kept.stream().filter(id -> weights[id] >= sampling.minP() - slack).toList();
      var total = kept.stream().mapToDouble(id -> weights[id]).sum();
      for (var shift : new double[] {-1e-6, 0, 1e-6}) {
        choices.add(pick(kept.stream().sorted().toList(), weights, (uniform + shift) * total));
      }
    }
    return choices;
  }

  private static int pick(List<Integer> kept, double[] weights, double target) {
    var sum = 0.0;
    for (var id : kept) {
      sum += weights[id];
      if (sum > target) {
        return id;
      }
    }
    return kept.getLast();
  }
}
