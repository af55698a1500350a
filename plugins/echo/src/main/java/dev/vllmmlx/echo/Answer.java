package dev.vllmmlx.echo;

import dev.vllmmlx.spi.FinishReason;
import dev.vllmmlx.spi.GenerationEvent;
import dev.vllmmlx.spi.GenerationRequest;
import dev.vllmmlx.spi.RequestProgress;
import dev.vllmmlx.spi.StopConditions;
import dev.vllmmlx.spi.Timings;
import dev.vllmmlx.spi.TokenLogprob;
import dev.vllmmlx.spi.TokenLogprob.Candidate;
import dev.vllmmlx.spi.Usage;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * One answer as it grows: a token at each step, with the ends that the request set. Knows nothing
 * of threads.
 */
final class Answer {
  private final GenerationRequest request;
  private final StopConditions stop;
  private final int[] prompt;
  private final int[] words;
  private final int maxTokens;
  private final long arrived = System.nanoTime();

  /** What was generated and not sent: it may be the beginning of a stop string. */
  private final StringBuilder held = new StringBuilder();

  // The engine's thread alone writes them, and anyone may ask how far it is.
  private volatile long began;
  private volatile int tokens;
  private int position;

  /**
   * @param prompt the whole prompt's ids, for the count
   * @param words what is repeated
   */
  Answer(GenerationRequest request, int[] prompt, int[] words, int contextLength) {
    this.request = request;
    this.stop = request.stop();
    this.prompt = prompt;
    this.words = words;
    this.maxTokens = Math.min(stop.maxTokens(), contextLength - prompt.length);
  }

  GenerationEvent.Started start() {
    began = System.nanoTime();
    return new GenerationEvent.Started(prompt.length, 0);
  }

  /** The events of one more token: a delta, and the end where it is one. */
  List<GenerationEvent> step() {
    var id = next();
    var count = tokens + 1;
    tokens = count;
    if (ends(id)) {
      var delta = new GenerationEvent.Delta(release(), 1, logprobs(id));
      var text = id == Vocabulary.END ? "" : Character.toString(id);
      return List.of(delta, finished(FinishReason.STOP, Optional.of(text)));
    }
    if (id != Vocabulary.END) {
      held.appendCodePoint(id);
    }
    var found = tokens < stop.minTokens() ? Optional.<String>empty() : stopString();
    if (found.isPresent()) {
      held.setLength(held.indexOf(found.get()));
      return List.of(
          new GenerationEvent.Delta(release(), 1, logprobs(id)),
          finished(FinishReason.STOP, found));
    }
    if (tokens == maxTokens) {
      return List.of(
          new GenerationEvent.Delta(release(), 1, logprobs(id)),
          finished(FinishReason.LENGTH, Optional.empty()));
    }
    return List.of(new GenerationEvent.Delta(safe(), 1, logprobs(id)));
  }

  /** How far it has come, for anyone who asks. */
  RequestProgress progress() {
    return new RequestProgress(
        request.id(),
        request.choice(),
        began == 0 ? RequestProgress.Phase.WAITING : RequestProgress.Phase.DECODE,
        prompt.length,
        began == 0 ? 0 : prompt.length,
        tokens,
        Duration.ofNanos(System.nanoTime() - arrived));
  }

  GenerationEvent.Finished cancelled() {
    return finished(FinishReason.CANCELLED, Optional.empty());
  }

  /** The prompt's next token; at its end the one that ends an answer, or the first once more. */
  private int next() {
    if (position == words.length) {
      position = 0;
      if (words.length == 0 || !(stop.ignoreEos() || tokens < stop.minTokens())) {
        return Vocabulary.END;
      }
    }
    return words[position++];
  }

  private boolean ends(int id) {
    if (tokens <= stop.minTokens() && words.length > 0) {
      return false;
    }
    return stop.tokenIds().contains(id) || (id == Vocabulary.END && !stop.ignoreEos());
  }

  /** The stop string that comes first; of those at the same place, the first of the list. */
  private Optional<String> stopString() {
    Optional<String> found = Optional.empty();
    var first = Integer.MAX_VALUE;
    for (var string : stop.strings()) {
      var at = held.indexOf(string);
      if (at >= 0 && at < first) {
        first = at;
        found = Optional.of(string);
      }
    }
    return found;
  }

  /** What cannot be part of a stop string any more. */
  private String safe() {
    var keep = 0;
    for (var string : stop.strings()) {
      for (var length = Math.min(string.length() - 1, held.length()); length > keep; length--) {
        if (string.startsWith(held.substring(held.length() - length))) {
          keep = length;
        }
      }
    }
    var safe = held.substring(0, held.length() - keep);
    held.delete(0, safe.length());
    return safe;
  }

  private String release() {
    var all = held.toString();
    held.setLength(0);
    return all;
  }

  /** There is no doubt here: the chosen token has all the probability. */
  private List<TokenLogprob> logprobs(int id) {
    if (request.topLogprobs().isEmpty()) {
      return List.of();
    }
    var chosen = new Candidate(id, Vocabulary.bytes(id), 0);
    return List.of(
        new TokenLogprob(
            chosen, request.topLogprobs().getAsInt() == 0 ? List.of() : List.of(chosen)));
  }

  private GenerationEvent.Finished finished(FinishReason reason, Optional<String> stoppedBy) {
    var now = System.nanoTime();
    var start = began == 0 ? now : began;
    return new GenerationEvent.Finished(
        reason,
        stoppedBy,
        new Usage(prompt.length, 0, tokens),
        new Timings(
            Duration.ofNanos(start - arrived), Duration.ZERO, Duration.ofNanos(now - start)));
  }
}
