package dev.vllmmlx.gateway.bench;

import java.util.List;

/**
 * What a load came to.
 *
 * @param answersMayBeShorter whether the server would not go on after the model's own end
 */
record LoadFigures(
    LoadPlan plan, String model, boolean answersMayBeShorter, List<LevelFigures> levels) {
  LoadFigures {
    levels = List.copyOf(levels);
  }

  boolean anyErrors() {
    return levels.stream().anyMatch(level -> level.failed() > 0);
  }
}
