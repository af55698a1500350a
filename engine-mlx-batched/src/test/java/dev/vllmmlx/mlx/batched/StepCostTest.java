package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class StepCostTest {
  private final StepCost cost = new StepCost(512);

  @Test
  void takesWholePromptsWhereNobodyWaitsForATokenElse() {
    assertThat(cost.budget(0, 4)).isEqualTo(512);
  }

  @Test
  void learnsWhatARowCostsBesideReadingTheWeights() {
    // A machine whose steps take 20 ms and 1 ms a row, with noise.
    var random = new Random(1);
    for (var i = 0; i < 400; i++) {
      var rows = 8 + (random.nextBoolean() ? cost.budget(8, 1) : 0);
      cost.took(rows, (0.020 + 0.001 * rows) * (0.9 + 0.2 * random.nextDouble()));
    }
    var budget = cost.budget(8, 1);
    var alone = 0.020 + 0.001 * 8;
    assertThat(alone + 0.001 * budget).isBetween(1.4 * alone, 1.95 * alone);
  }

  /** Of one to so many rows, on a machine that takes so many times 4 ms and 1 ms a row. */
  private void tookSteps(int most, double times) {
    for (var i = 0; i < 300; i++) {
      var rows = 1 + i % most;
      cost.took(rows, times * (0.004 + 0.001 * rows));
    }
  }

  @Test
  void takesMoreWhereMorePromptsWaitThanAreAnswered() {
    tookSteps(40, 1);
    // Two answers beside six prompts wait no longer than twice what they would among eight.
    var budget = cost.budget(2, 6);
    assertThat(budget).isGreaterThan(2 * cost.budget(2, 1));
    assertThat(0.004 + 0.001 * (2 + budget)).isLessThan(2 * (0.004 + 0.001 * 8));
    // A crowd that waits does not stop them.
    assertThat(cost.budget(2, 60)).isLessThan(3 * budget / 2);
  }

  @Test
  void isTheSameOnAMachineThatIsSlowForAWhile() {
    tookSteps(10, 1);
    var before = cost.budget(4, 1);
    tookSteps(10, 5);
    assertThat(cost.budget(4, 1)).isCloseTo(before, org.assertj.core.api.Assertions.within(2));
  }

  @Test
  void seesThatRowsOfALongPromptCostMore() {
    // 2 ms and 1 ms a row; those of the prompt cost twice as much in the end.
    for (var i = 0; i < 100; i++) {
      cost.took(8, 0.010);
    }
    var longest = 0.0;
    for (var computed = 0; computed < 4000; ) {
      var budget = cost.budget(8, 1);
      var seconds = 0.010 + 0.001 * budget * (1 + computed / 4000.0);
      cost.took(8 + budget, seconds);
      if (computed > 500) {
        longest = Math.max(longest, seconds);
      }
      computed += budget;
    }
    assertThat(longest).isLessThan(2 * 0.010);
  }

  @Test
  void alwaysLetsPromptsGoOn() {
    for (var i = 0; i < 300; i++) {
      cost.took(1 + i % 2 * 30, i % 2 * 1.0 + 1e-6);
    }
    assertThat(cost.budget(1, 1)).isPositive();
    assertThat(cost.budget(600, 1)).isPositive();
  }
}
