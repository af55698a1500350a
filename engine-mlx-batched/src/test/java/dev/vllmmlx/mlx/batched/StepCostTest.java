package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StepCostTest {
  private final StepCost cost = new StepCost(512);

  /**
   * A machine's milliseconds.
   *
   * @param fixed of each step
   * @param row of each row besides
   * @param attending of a prompt's row, for each token before it
   */
  private record Machine(double fixed, double row, double attending) {
    double step(int decoding, int tokens, int computed) {
      return fixed + row * (decoding + tokens) + attending * tokens * (computed + tokens / 2.0);
    }
  }

  @Test
  void takesWholePromptsWhereNobodyWaitsForATokenElse() {
    assertThat(cost.budget(0, 4)).isEqualTo(512);
  }

  @Test
  void learnsWhatATokenOfAPromptCostsBesideReadingTheWeights() {
    tookSteps(new Machine(20, 1, 0), 8, 1, 400);
    assertThat(cost.budget(8, 1)).isCloseTo((int) (0.7 * 28), within(2));
  }

  /** Steps of so many answers beside so many prompts, some 10% quicker or slower than others. */
  private void tookSteps(Machine machine, int decoding, int prompts, int steps) {
    var random = new Random(1);
    for (var i = 0; i < steps; i++) {
      var tokens = cost.budget(decoding, prompts);
      var noise = 0.9 + 0.2 * random.nextDouble();
      cost.took(decoding, tokens, noise * machine.step(decoding, tokens, 0) / 1000);
    }
  }

  @Test
  void takesMoreWhereMorePromptsWaitThanAreAnswered() {
    tookSteps(new Machine(4, 1, 0), 2, 6, 300);
    // Two answers beside six prompts wait no longer than twice what they would among eight.
    var budget = cost.budget(2, 6);
    assertThat(budget).isGreaterThan(2 * cost.budget(2, 1));
    assertThat(4 + (2 + budget)).isLessThan(2 * (4 + 8));
    // A crowd that waits does not stop them.
    assertThat(cost.budget(2, 60)).isLessThan(3 * budget / 2);
  }

  @Test
  void isTheSameOnAMachineThatIsSlowForAWhile() {
    tookSteps(new Machine(4, 1, 0), 4, 1, 300);
    var before = cost.budget(4, 1);
    tookSteps(new Machine(20, 5, 0), 4, 1, 300);
    assertThat(cost.budget(4, 1)).isCloseTo(before, within(2));
    tookSteps(new Machine(4, 1, 0), 4, 1, 300);
    assertThat(cost.budget(4, 1)).isCloseTo(before, within(2));
  }

  /** Whatever attention costs: of a long prompt's last rows it is most of all. */
  @ParameterizedTest
  @CsvSource({
    "1, 13.7, 3.66, 0.0015",
    "4, 13.7, 3.66, 0.0005",
    "4, 13.7, 3.66, 0.0035",
    "8, 13.7, 3.66, 0.0035",
    "8, 3.0, 0.5, 0.0005",
    "50, 13.7, 3.66, 0.0035",
  })
  void noStepBesideALongPromptTakesTwiceAsLong(
      int decoding, double fixed, double row, double attending) {
    var machine = new Machine(fixed, row, attending);
    for (var i = 0; i < 20; i++) {
      cost.took(decoding, 0, machine.step(decoding, 0, 0) / 1000);
    }
    var took = new ArrayList<Double>();
    for (var computed = 0; computed < 4000; ) {
      var tokens = cost.budget(decoding, 1);
      var milliseconds = machine.step(decoding, tokens, computed);
      cost.took(decoding, tokens, milliseconds / 1000);
      took.add(milliseconds / machine.step(decoding, 0, 0));
      computed += tokens;
    }
    assertThat(percentile95(took)).isLessThan(1.95);
  }

  private static double percentile95(List<Double> all) {
    return all.stream().sorted().skip(all.size() * 95L / 100).findFirst().orElseThrow();
  }

  @Test
  void alwaysLetsPromptsGoOn() {
    cost.took(1, 0, 1e-6);
    for (var i = 0; i < 300; i++) {
      cost.took(1, 30, 1);
    }
    assertThat(cost.budget(1, 1)).isPositive();
    assertThat(cost.budget(600, 1)).isPositive();
  }
}
