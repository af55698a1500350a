package dev.vllmmlx.spi;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What happens to a generation, in this order: {@link Started} once, {@link Delta} any number of
 * times, and then one {@link Terminal} event. A generation that fails or is cancelled before its
 * prompt was accepted has its terminal event alone.
 */
public sealed interface GenerationEvent {

  /** The last event of a generation. */
  sealed interface Terminal extends GenerationEvent {}

  /**
   * The prompt was accepted and its first token is about to come.
   *
   * @param promptTokens the length of the prompt
   * @param cachedTokens how many of those were not computed again
   * @param thinking whether the prompt's end has opened the model's thinking, so that the answer
   *     begins inside of it
   */
  record Started(int promptTokens, int cachedTokens, boolean thinking) implements GenerationEvent {

    /** The start of an answer that begins as such. */
    public Started(int promptTokens, int cachedTokens) {
      this(promptTokens, cachedTokens, false);
    }

    public Started {
      if (cachedTokens < 0 || cachedTokens > promptTokens) {
        throw new IllegalArgumentException(cachedTokens + " cached of " + promptTokens);
      }
    }
  }

  /**
   * More text. The texts of all deltas, joined, are the answer.
   *
   * @param text whole characters; empty where the tokens make no character yet, or where their text
   *     is held back because it may be the beginning of a stop string
   * @param tokens how many tokens were generated since the delta before, at least 0 (text that was
   *     held back comes with no token of its own)
   * @param logprobs one for each of these tokens if the request asked for them, else empty
   */
  record Delta(String text, int tokens, List<TokenLogprob> logprobs) implements GenerationEvent {
    public Delta {
      Objects.requireNonNull(text);
      logprobs = List.copyOf(logprobs);
      if (tokens < 0) {
        throw new IllegalArgumentException(tokens + " tokens");
      }
    }
  }

  /**
   * The generation ended as it should.
   *
   * @param reason why
   * @param stop the stop string or the special token that ended it, where one did
   * @param usage what was used in all
   * @param timings how long it took
   */
  record Finished(FinishReason reason, Optional<String> stop, Usage usage, Timings timings)
      implements Terminal {
    public Finished {
      Objects.requireNonNull(reason);
      Objects.requireNonNull(stop);
      Objects.requireNonNull(usage);
      Objects.requireNonNull(timings);
    }
  }

  /**
   * The generation ended by a fault, which is this request's alone unless the engine's status says
   * otherwise.
   */
  record Failed(EngineException error) implements Terminal {
    public Failed {
      Objects.requireNonNull(error);
    }
  }
}
