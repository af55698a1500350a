package dev.vllmmlx.mlx.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class DrawsTest {

  /** These may never change: a client that repeats a request with its seed gets the same answer. */
  @Test
  void drawsTheSameNumbersForEver() {
    var draws = Draws.of(OptionalLong.of(42), 0);
    assertThat(draws.uniform(0)).isEqualTo(0x1.0p-53 * UNIFORM_42[0]);
    assertThat(draws.uniform(1)).isEqualTo(0x1.0p-53 * UNIFORM_42[1]);
    assertThat(draws.uniform(1_000_000)).isEqualTo(0x1.0p-53 * UNIFORM_42[2]);
  }

  // Made with Python's whole numbers from the published algorithm.
  private static final long[] UNIFORM_42 = {
    5536193364413794L, 4054219913238450L, 7000161554780197L
  };

  @Test
  void isUniformInEveryTenth() {
    for (var seed = 0; seed < 5; seed++) {
      var draws = Draws.of(OptionalLong.of(seed), 0);
      var tenths = new int[10];
      for (var step = 0; step < 100_000; step++) {
        tenths[(int) (draws.uniform(step) * 10)]++;
      }
      var chiSquare = 0.0;
      for (var count : tenths) {
        chiSquare += Math.pow(count - 10_000, 2) / 10_000;
      }
      // 9 degrees of freedom: beyond 33.7 once in ten thousand.
      assertThat(chiSquare).isLessThan(33.7);
    }
  }

  @Test
  void givesEachAnswerOfARequestNumbersOfItsOwn() {
    var product = 0.0;
    var first = Draws.of(OptionalLong.of(7), 0);
    var second = Draws.of(OptionalLong.of(7), 1);
    for (var step = 0; step < 10_000; step++) {
      product += (first.uniform(step) - 0.5) * (second.uniform(step) - 0.5);
    }
    // The covariance of independent numbers, to five deviations.
    assertThat(product / 10_000).isCloseTo(0, within(5.0 / 12 / 100));
  }

  @Test
  void differsWithoutASeed() {
    assertThat(Draws.of(OptionalLong.empty(), 0)).isNotEqualTo(Draws.of(OptionalLong.empty(), 0));
  }
}
