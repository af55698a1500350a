package dev.vllmmlx.gateway.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class LevelFiguresTest {

  @Test
  void whoStarvesShowsInAnswersAndWhoTricklesInStreams() {
    var usual = answered(1, 3, 21);
    var starved = answered(19, 21, 21);
    var trickling = answered(1, 11, 21);
    var figures = LevelFigures.of(3, 21, List.of(usual, starved, trickling));
    assertThat(figures.streams()).isEqualTo(new LevelFigures.Spread(2, 22 / 3.0));
    assertThat(figures.answers().slowest()).isEqualTo(1);
    assertThat(figures.answers().mean()).isEqualTo((7 + 1 + 21 / 11.0) / 3);
  }

  @Test
  void anAnswerOfOneTokenIsNoStream() {
    var figures =
        LevelFigures.of(1, 2, List.of(answered(2, 2, 1), new RequestOutcome.Failed("HTTP 429")));
    assertThat(figures.streams()).isEqualTo(new LevelFigures.Spread(0, 0));
    assertThat(figures.answers()).isEqualTo(new LevelFigures.Spread(0.5, 0.5));
    assertThat(figures.failed()).isEqualTo(1);
  }

  private static RequestOutcome.Answered answered(double first, double total, int tokens) {
    return new RequestOutcome.Answered(first, List.of(), total, 10, 0, tokens, true);
  }
}
