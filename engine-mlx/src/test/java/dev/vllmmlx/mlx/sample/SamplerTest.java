package dev.vllmmlx.mlx.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.Sampling;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {

  @Test
  void takesTheHighestScoreAndOfEqualsTheLowestId() {
    var sampler = Samplers.of(Sampling.greedy());
    assertThat(sampler.next(new float[] {1, 3, 2, 3, 3}).id()).isEqualTo(1);
    assertThat(sampler.next(new float[] {-5, -5, -4, -4.5f}).id()).isEqualTo(2);
    assertThat(sampler.next(new float[] {-0f, 0f}).id()).isEqualTo(0);
  }

  /** Prompt 0, 1 and answer 1, 2, 2; worked out by hand. */
  @ParameterizedTest
  @CsvSource({
    // repetition, frequency, presence -> scores of ids 0..3, which are 4, -4, 6, 1 before
    "1,    0,   0,      4, -4,   6,   1",
    "2,    0,   0,      2, -8,   3,   1",
    "1,    0.5, 0,      4, -4.5, 5,   1",
    "1,    0,   0.25,   4, -4.25, 5.75, 1",
    "2,    0.5, 0.25,   2, -8.75, 1.75, 1",
    "0.5,  0,   0,      8, -2,   12,  1",
  })
  void penalizesWhatWasThere(
      float repetition, float frequency, float presence, float a, float b, float c, float d) {
    var logits = new float[] {4, -4, 6, 1};
    var history = new TokenHistory(new int[] {0, 1});
    List.of(1, 2, 2).forEach(history::add);
    new Penalties(repetition, frequency, presence).process(logits, history);
    assertThat(logits).containsExactly(new float[] {a, b, c, d}, within(1e-6f));
  }

  @Test
  void appliesBiasAfterPenalties() {
    // 8 / 4 + 1 = 3 beats 2.5; (8 + 1) / 4 would not.
    var sampling = Samplers.with(Sampling.greedy()).repetition(4).bias(Map.of(0, 1f)).build();
    var sampler = Samplers.of(sampling, 0);
    assertThat(sampler.next(new float[] {8, 2.5f}).id()).isEqualTo(0);
  }

  @Test
  void appliesConstraintsAfterBias() {
    var sampling = Samplers.with(Sampling.greedy()).bias(Map.of(1, 100f)).build();
    LogitsProcessor notOne = (logits, history) -> logits[1] = Float.NEGATIVE_INFINITY;
    var sampler = Sampler.of(Samplers.request(sampling), new int[0], Set.of(), List.of(notOne));
    assertThat(sampler.next(new float[] {1, 0, 2}).id()).isEqualTo(2);
  }

  @Test
  void choosesNoEndBeforeMinTokens() {
    var sampler =
        Sampler.of(Samplers.request(Sampling.greedy(), 2), new int[0], Set.of(1, 2), List.of());
    assertThat(sampler.next(new float[] {0, 2, 1}).id()).isEqualTo(0);
    assertThat(sampler.next(new float[] {0, 2, 1}).id()).isEqualTo(0);
    assertThat(sampler.next(new float[] {0, 2, 1}).id()).isEqualTo(1);
  }

  /** Probabilities 0.5, 0.25, 0.125, 0.0625 and again 0.0625 for ids 0 to 4. */
  @ParameterizedTest
  @CsvSource({
    // temperature, topP, topK, minP -> ids that can be drawn
    "1,   1,     0, 0,      0 1 2 3 4",
    "1,   1,     2, 0,      0 1",
    "1,   1,     4, 0,      0 1 2 3",
    "1,   0.5,   0, 0,      0",
    "1,   0.51,  0, 0,      0 1",
    "1,   0.75,  0, 0,      0 1",
    "1,   0.9,   0, 0,      0 1 2 3",
    "1,   0,     0, 0,      0",
    "1,   1,     0, 0.25,   0 1 2",
    "1,   1,     0, 0.26,   0 1",
    "1,   1,     0, 1,      0",
    // top-p counts over what top-k left: 0.5 of 0.75
    "1,   0.6,   2, 0,      0",
    "1,   0.7,   2, 0,      0 1",
    // hot: squares roots, so min-p keeps more; cold: squares, so fewer
    "2,   1,     0, 0.3,    0 1 2 3 4",
    "0.5, 1,     0, 0.3,    0",
    "1,   0.9,   4, 0.13,   0 1 2",
  })
  void drawsFromWhatTruncationLeaves(
      float temperature, float topP, int topK, float minP, String expected) {
    var drawn = new TreeSet<Integer>();
    for (var seed = 0; seed < 400; seed++) {
      var sampling =
          new Sampling(temperature, topP, topK, minP, 1, 0, 0, Map.of(), OptionalLong.of(seed));
      drawn.add(Samplers.of(sampling).next(Samplers.logs(0.5, 0.25, 0.125, 0.0625, 0.0625)).id());
    }
    assertThat(drawn)
        .containsExactlyElementsOf(
            List.of(expected.split(" ")).stream().map(Integer::valueOf).toList());
  }

  @Test
  void namesProbabilitiesBeforeTemperatureAndTruncation() {
    var sampling = new Sampling(0.1f, 0.1f, 1, 0, 1, 0, 0, Map.of(), OptionalLong.of(1));
    var sampler = Samplers.withLogprobs(sampling, 3);
    var likelihoods =
        sampler.next(Samplers.logs(0.25, 0.5, 0.125, 0.125)).likelihoods().orElseThrow();
    assertThat(likelihoods.chosen()).isCloseTo((float) Math.log(0.5), within(1e-6f));
    assertThat(likelihoods.topIds()).containsExactly(1, 0, 2);
    assertThat(likelihoods.topLogprobs())
        .containsExactly(
            new float[] {(float) Math.log(0.5), (float) Math.log(0.25), (float) Math.log(0.125)},
            within(1e-6f));
  }

  @Test
  void namesProbabilitiesAfterPenaltiesBiasAndConstraint() {
    LogitsProcessor notTwo = (logits, history) -> logits[2] = Float.NEGATIVE_INFINITY;
    // exp: 2 -> / 2 by the penalty, 1 * 3 by the bias, excluded.
    var sampling =
        Samplers.with(Sampling.greedy()).repetition(2).bias(Map.of(1, (float) Math.log(3))).build();
    var sampler =
        Sampler.of(Samplers.request(sampling, 0, 3), new int[] {0}, Set.of(), List.of(notTwo));
    var likelihoods =
        sampler.next(new float[] {(float) Math.log(4), 0, 5}).likelihoods().orElseThrow();
    assertThat(likelihoods.topIds()).containsExactly(1, 0, 2);
    assertThat(likelihoods.topLogprobs())
        .containsExactly(
            new float[] {
              (float) Math.log(3 / 5.0), (float) Math.log(2 / 5.0), Float.NEGATIVE_INFINITY
            },
            within(1e-6f));
  }

  @Test
  void namesNoMoreThanThereAre() {
    var likelihoods =
        Samplers.withLogprobs(Sampling.greedy(), 20)
            .next(new float[] {1, 2})
            .likelihoods()
            .orElseThrow();
    assertThat(likelihoods.topIds()).containsExactly(1, 0);
    assertThat(
            Samplers.withLogprobs(Sampling.greedy(), 0)
                .next(new float[] {1, 2})
                .likelihoods()
                .orElseThrow()
                .topIds())
        .isEmpty();
  }

  @Test
  void drawsTheSameForASeedWhateverNeighboursDraw() {
    var sampling = Samplers.hot(99);
    var alone = Samplers.of(sampling);
    var beside = Samplers.of(sampling);
    var neighbour = Samplers.of(Samplers.hot(100));
    var random = new java.util.Random(3);
    for (var step = 0; step < 200; step++) {
      var logits = Samplers.random(random, 50);
      var expected = alone.next(logits.clone()).id();
      neighbour.next(Samplers.random(random, 50));
      assertThat(beside.next(logits.clone()).id()).isEqualTo(expected);
    }
  }

  /** A count per token against its probability, for a plain draw and a truncated one. */
  @ParameterizedTest
  @ValueSource(floats = {1f, 0.8f})
  void drawsInProportion(float topP) {
    var probabilities = new double[] {0.4, 0.25, 0.15, 0.1, 0.06, 0.04};
    var kept = topP == 1f ? 6 : 3;
    var counts = new int[6];
    var draws = 60_000;
    var sampler =
        Samplers.of(new Sampling(1, topP, 0, 0, 1, 0, 0, Map.of(), OptionalLong.of(2024)));
    for (var i = 0; i < draws; i++) {
      counts[sampler.next(Samplers.logs(probabilities)).id()]++;
    }
    var total = 0.0;
    for (var id = 0; id < kept; id++) {
      total += probabilities[id];
    }
    var chiSquare = 0.0;
    for (var id = 0; id < kept; id++) {
      var expected = draws * probabilities[id] / total;
      chiSquare += (counts[id] - expected) * (counts[id] - expected) / expected;
    }
    // Beyond it once in ten thousand, for 5 and for 2 degrees of freedom.
    assertThat(chiSquare).isLessThan(topP == 1f ? 25.7 : 18.4);
    for (var id = kept; id < 6; id++) {
      assertThat(counts[id]).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {0, 1})
  void failsOnScoresThatAreBroken(float temperature) {
    var sampling = new Sampling(temperature, 1, 0, 0, 1, 0, 0, Map.of(), OptionalLong.of(1));
    var nan = Float.NaN;
    var none = Float.NEGATIVE_INFINITY;
    assertThatThrownBy(() -> Samplers.of(sampling).next(new float[] {1, nan, 2}))
        .isInstanceOf(EngineException.Internal.class)
        .hasMessageContaining("token 1 is not a number");
    assertThatThrownBy(() -> Samplers.of(sampling).next(new float[] {none, none}))
        .isInstanceOf(EngineException.Internal.class)
        .hasMessageContaining("no token is left");
    assertThatThrownBy(
            () -> Samplers.of(sampling).next(new float[] {1, Float.POSITIVE_INFINITY, nan}))
        .isInstanceOf(EngineException.Internal.class);
  }

  @Test
  void neverDrawsWhatIsExcluded() {
    var none = Float.NEGATIVE_INFINITY;
    for (var seed = 0; seed < 200; seed++) {
      var sampling = new Sampling(100, 1, 0, 0, 1, 0, 0, Map.of(), OptionalLong.of(seed));
      assertThat(Samplers.of(sampling).next(new float[] {none, -50, none, 50, none}).id())
          .isIn(1, 3);
    }
  }

  @Test
  void isTheHighestScoreAtATinyTemperature() {
    var sampling = new Sampling(Float.MIN_VALUE, 1, 0, 0, 1, 0, 0, Map.of(), OptionalLong.of(5));
    assertThat(Samplers.of(sampling).next(new float[] {1, 1.0000001f, 0.5f}).id()).isEqualTo(1);
  }
}
