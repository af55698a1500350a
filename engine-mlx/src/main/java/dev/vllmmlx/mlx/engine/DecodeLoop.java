package dev.vllmmlx.mlx.engine;

import dev.vllmmlx.mlx.sequence.Sequence;
import java.util.function.BooleanSupplier;

/** Computes one sequence: its prompt in chunks, then a token at each step. */
final class DecodeLoop {
  private final int prefillChunk;
  private final float[] logits;

  /**
   * @param prefillChunk tokens of a prompt that one pass computes
   */
  DecodeLoop(int prefillChunk, int vocabularySize) {
    this.prefillChunk = prefillChunk;
    this.logits = new float[vocabularySize];
  }

  /**
   * Runs until the sequence ends.
   *
   * @param state has seen a beginning of the prompt, shorter than it; at the end it has seen every
   *     token of the sequence but the last
   * @param goesOn asked before each pass; where it says no it has ended the sequence
   */
  void run(Sequence sequence, ModelState state, BooleanSupplier goesOn) {
    sequence.begin(state.length());
    var end = sequence.promptLength();
    while (goesOn.getAsBoolean()) {
      var from = state.length();
      // Chunks begin at multiples of their size, wherever a cached beginning ended.
      var to = Math.min(end, (from / prefillChunk + 1) * prefillChunk);
      if (to < end) {
        state.advance(sequence.tokens(from, to));
      } else {
        state.advance(sequence.tokens(from, to), logits);
        decode(sequence, state, goesOn);
        return;
      }
    }
  }

  private void decode(Sequence sequence, ModelState state, BooleanSupplier goesOn) {
    sequence.started();
    while (sequence.step(logits) && goesOn.getAsBoolean()) {
      state.advance(sequence.tokens(state.length(), sequence.length()), logits);
    }
  }
}
