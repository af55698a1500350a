package dev.vllmmlx.mlx.sequence;

import dev.vllmmlx.spi.EngineException;

/**
 * What a model can take.
 *
 * @param contextLength tokens of prompt and answer together
 * @param vocabularySize ids are below it: as many as the model gives scores
 */
public record SequenceLimits(int contextLength, int vocabularySize) {

  /**
   * Refuses a prompt that cannot be continued.
   *
   * @throws EngineException.InvalidRequest if it is empty, or holds an id that is none
   * @throws EngineException.ContextExceeded if it leaves no room for an answer
   */
  void check(int[] prompt) {
    if (prompt.length == 0) {
      throw new EngineException.InvalidRequest("prompt", "prompt must have at least one token");
    }
    if (prompt.length >= contextLength) {
      throw new EngineException.ContextExceeded(prompt.length, contextLength);
    }
    checkIds("prompt", prompt);
  }

  /**
   * Refuses ids that are none of the vocabulary.
   *
   * @throws EngineException.InvalidRequest that names the field
   */
  public void checkIds(String field, int... ids) {
    for (var id : ids) {
      if (id < 0 || id >= vocabularySize) {
        throw new EngineException.InvalidRequest(
            field,
            "%s must hold token ids from 0 to %d, and %d is none"
                .formatted(field, vocabularySize - 1, id));
      }
    }
  }
}
