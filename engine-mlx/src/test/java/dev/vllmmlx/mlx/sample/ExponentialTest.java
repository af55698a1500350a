package dev.vllmmlx.mlx.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ExponentialTest {

  @Test
  void isWithinOnePartInABillion() {
    for (var x = 0.0; x > Exponential.UNDERFLOW; x -= 0.000713) {
      assertThat(Exponential.of(x) / StrictMath.exp(x)).isCloseTo(1, within(1e-9));
    }
  }

  @Test
  void isOneAtZeroAndNoFloatBelowUnderflow() {
    assertThat(Exponential.of(0)).isEqualTo(1);
    assertThat((float) StrictMath.exp(Exponential.UNDERFLOW)).isZero();
  }
}
