package dev.vllmmlx.mlx.sequence;

import dev.vllmmlx.text.tokenizer.StreamingDetokenizer;
import java.util.Optional;

/**
 * The text of an answer as its tokens come: whole characters, without special tokens, and nothing
 * of a stop string.
 */
final class AnswerText {
  private final StreamingDetokenizer detokenizer;
  private final StopMatcher stops;

  AnswerText(StreamingDetokenizer detokenizer, StopStrings stops) {
    this.detokenizer = detokenizer;
    this.stops = stops.matcher();
  }

  /** The text that the token makes certain. */
  String feed(int token, boolean stopsCount) {
    return stops.feed(detokenizer.feed(token), stopsCount);
  }

  /** What is left when no more tokens come. */
  String finish(boolean stopsCount) {
    var last = stops.feed(detokenizer.finish(), stopsCount);
    return stops.found().isPresent() ? last : last + stops.release();
  }

  /** The stop string that ended the text. */
  Optional<String> stop() {
    return stops.found();
  }
}
